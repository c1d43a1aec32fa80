"""The command line over the engine; `application.new_application` puts it together."""
