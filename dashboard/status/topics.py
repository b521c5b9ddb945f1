"""Of what somebody wants to be told: everything, or some parts and models only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from dashboard.status.parts import Part

if TYPE_CHECKING:
    from dashboard.status.updates import Announced

MODELS = "models"  # whichever of them
_MODEL = "model:"  # before the name of one
BROAD = [*Part.choices, (MODELS, "All models")]


def of_model(name: str) -> str:
    return f"{_MODEL}{name}"


def label_of(topic: str) -> str:
    """As people read it."""
    return dict(BROAD).get(topic, topic.removeprefix(_MODEL))


def topics_of(about: Announced) -> list[str]:
    """What an incident or a maintenance is about; nothing where it names nothing."""
    models_ = [MODELS, *map(of_model, about.model_ids)] if about.model_ids else []
    return [*about.parts, *models_]


def concerned_by(about: Announced) -> Q:
    """Whoever chose one of its topics, or none at all; everybody where it names nothing."""
    topics = topics_of(about)
    return Q(topics=[]) | Q(topics__overlap=topics) if topics else Q()


class Choosing(models.Model):
    """Somebody who is told. Who chose no topics is told of everything, also of what comes later."""

    topics = ArrayField(models.CharField(max_length=210), default=list, blank=True)

    class Meta:
        abstract = True

    @property
    def chosen(self) -> list[str]:
        """The topics in words; nothing for everything."""
        return [label_of(topic) for topic in self.topics]

    def choose(self, topics: Iterable[str]) -> None:
        """Have them told of these from now on."""
        self.topics = list(topics)
        self.save(update_fields=["topics"])
