package rulecaptures

func discoveryStories() []Story { return nil }
