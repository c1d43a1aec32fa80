"""The Telegram bot over the engine: everything that knows of chats, albums and buttons."""
