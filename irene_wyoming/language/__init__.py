"""What people may say to a home: names, their spoken and written forms, grammars. Pure: no event loop, no engine."""
