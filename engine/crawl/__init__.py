"""Crawling: pictures found on the web, fetched politely, cleaned and added to the library."""
