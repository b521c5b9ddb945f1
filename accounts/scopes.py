"""What an API key may be allowed to do."""

from django.db import models


class Scope(models.TextChoices):
    CHAT_WRITE = "chat:write", "Create chat completions"
    COMPLETIONS_WRITE = "completions:write", "Create text completions"
    EMBEDDINGS_WRITE = "embeddings:write", "Generate embeddings"
    MODELS_READ = "models:read", "List available models"
    USAGE_READ = "usage:read", "Read usage statistics"
