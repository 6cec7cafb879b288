"""Formats in which the staff pages write an instant, by language: with the name of its zone.

Django reads these modules (`FORMAT_MODULE_PATH`) where a template shows a bare datetime. The other
pages write their times by `core.text.times`.
"""
