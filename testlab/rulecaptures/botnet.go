package rulecaptures

func botnetStories() []Story { return nil }
