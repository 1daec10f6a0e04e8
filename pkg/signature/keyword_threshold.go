package signature

import (
	"errors"
	"fmt"
	"strings"
)

// threshold limits how often a rule alerts.
var threshold = Keyword{
	Name: "threshold", Where: Meta,
	Doc: "how often the rule alerts: type limit|threshold|both|backoff, track by_src|by_dst|by_rule|by_both|by_flow, " +
		"count N, seconds S (backoff: multiplier M)",
	Parse: func(b *Builder, value string) error {
		if b.has("threshold") || b.has("detection_filter") {
			return errors.New("a rule may have one threshold or detection_filter")
		}
		t, err := parseThreshold(value)
		if err == nil {
			b.Thresholds = append(b.Thresholds, t)
		}
		return err
	},
}

// detectionFilter lets a rule match only after a number of matches.
var detectionFilter = Keyword{
	Name: "detection_filter", Where: Meta,
	Doc: "the rule matches only once it has matched more than count times within seconds: track by_src|by_dst|by_rule|by_both|by_flow, " +
		"count N, seconds S, unique_on src_port|dst_port",
	Parse: func(b *Builder, value string) error {
		if b.has("threshold") || b.has("detection_filter") {
			return errors.New("a rule may have one threshold or detection_filter")
		}
		t, err := parseThreshold("type detection_filter," + value)
		if err == nil && t.Distinct != 0 && !b.hasPorts() {
			err = errors.New("unique_on counts ports, which only tcp and udp have")
		}
		if err == nil {
			b.Thresholds = append(b.Thresholds, t)
		}
		return err
	},
}

// hasPorts says whether every packet of the rule has ports.
func (b *Builder) hasPorts() bool {
	p := b.Protocols
	p[ipTCP>>6] &^= 1 << (ipTCP & 63)
	p[ipUDP>>6] &^= 1 << (ipUDP & 63)
	p[ipSCTP>>6] &^= 1 << (ipSCTP & 63)
	return p == Protocols{}
}

var (
	thresholdTypes = map[string]ThresholdType{
		"limit": Limit, "threshold": ThresholdEach, "both": LimitThreshold, "backoff": Backoff, "detection_filter": DetectionFilter,
	}
	tracks = map[string]Track{
		"by_src": BySrc, "by_dst": ByDst, "by_rule": ByRule, "by_both": ByPair, "by_flow": ByFlow,
	}
	actions = map[string]Action{"alert": Alert, "drop": Drop, "pass": Pass, "reject": Reject}
)

// parseThreshold reads a list of words and their values: in rules and in threshold.config.
func parseThreshold(text string) (t Threshold, err error) {
	given := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		word, value, _ := strings.Cut(strings.TrimSpace(part), " ")
		value = strings.TrimSpace(value)
		if given[word] {
			return t, fmt.Errorf("%s stands twice", shorten(word))
		}
		given[word] = true
		if err := t.set(word, value); err != nil {
			return t, err
		}
	}
	return t, t.complete(given)
}

func (t *Threshold) set(word, value string) (err error) {
	ok := true
	number := func(to *uint32, low uint64) {
		var n uint64
		n, err = parseNumber(value, low, 1<<32-1)
		*to = uint32(n)
	}
	switch word {
	case "type":
		t.Type, ok = thresholdTypes[value]
	case "track":
		t.Track, ok = tracks[value]
	case "count":
		number(&t.Count, 1)
	case "seconds":
		number(&t.Seconds, 1)
	case "multiplier":
		number(&t.Multiplier, 1)
	case "timeout":
		number(&t.Timeout, 0)
	case "new_action":
		t.NewAction, ok = actions[value]
	case "unique_on":
		switch value {
		case "src_port":
			t.Distinct = 1
		case "dst_port":
			t.Distinct = 2
		default:
			ok = false
		}
	default:
		return fmt.Errorf("%q is no part of a threshold", shorten(word))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", word, err)
	}
	if !ok {
		return fmt.Errorf("%s cannot be %q", word, shorten(value))
	}
	return nil
}

// complete says what is missing or too much.
func (t *Threshold) complete(given map[string]bool) error {
	need := []string{"type", "track", "count", "seconds"}
	more := ""
	switch t.Type {
	case Backoff:
		need, more = []string{"type", "track", "count", "multiplier"}, "seconds"
		if t.Track != ByFlow && given["track"] {
			return errors.New("backoff counts by_flow only")
		}
	case RateFilter:
		need = append(need[1:], "new_action", "timeout")
	case DetectionFilter:
		more = "unique_on"
	}
	for _, word := range need {
		if !given[word] && word != "type" || word == "type" && t.Type == 0 {
			return fmt.Errorf("%s is missing", word)
		}
		delete(given, word)
	}
	delete(given, "type")
	delete(given, more)
	if len(given) > 0 {
		return fmt.Errorf("%s has no meaning here", sortedKeys(given)[0])
	}
	return nil
}
