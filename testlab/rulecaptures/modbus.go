package rulecaptures

func modbusStories() []Story { return nil }
