package rulecaptures

func rtspStories() []Story { return nil }
