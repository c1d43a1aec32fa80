"""One module a topic; each has `paint`, which draws a picture and says what it shows."""
