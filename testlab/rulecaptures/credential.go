package rulecaptures

func credentialStories() []Story { return nil }
