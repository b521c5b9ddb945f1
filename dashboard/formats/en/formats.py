"""Dates as pages write them where no template says otherwise."""

DATETIME_FORMAT = "j M Y, H:i"
DATE_FORMAT = "j M Y"
