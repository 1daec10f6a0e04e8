package signature

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ReadThresholds reads threshold.config: lines such as
//
//	threshold gen_id 1, sig_id 2002087, type threshold, track by_src, count 5, seconds 60
//	event_filter gen_id 1, sig_id 0, type limit, track by_src, count 1, seconds 60
//	rate_filter gen_id 1, sig_id 100, track by_rule, count 5, seconds 10, new_action drop, timeout 30
//	suppress gen_id 1, sig_id 2002087, track by_src, ip [10.0.0.0/8,!10.1.0.0/16]
//
// gen_id 0 and sig_id 0 mean all, as does a suppress line without track. The error names the first line that is wrong.
func ReadThresholds(file string, r io.Reader, vars *Vars) ([]ThresholdRule, error) {
	var rules []ThresholdRule
	err := eachConfigLine(file, r, func(line string) error {
		rule, err := parseThresholdRule(line, vars)
		rules = append(rules, rule)
		return err
	})
	return rules, err
}

func parseThresholdRule(line string, vars *Vars) (r ThresholdRule, err error) {
	word, rest, _ := strings.Cut(line, " ")
	parts, err := splitList(rest)
	if err != nil {
		return r, err
	}
	if parts, err = r.target(parts); err != nil {
		return r, err
	}
	switch word {
	case "threshold", "event_filter":
		r.Threshold, err = parseThreshold(strings.Join(parts, ","))
		if err == nil && r.Type == DetectionFilter {
			err = errors.New("detection_filter belongs into the rule itself")
		}
	case "rate_filter":
		r.Type = RateFilter
		if r.SID == 0 {
			return r, errors.New("a rate_filter is of one rule: give its sig_id")
		}
		given := map[string]bool{}
		for _, part := range parts {
			if err = r.part(part, given); err != nil {
				return r, err
			}
		}
		err = r.complete(given)
	case "suppress":
		err = r.suppress(parts, vars)
	default:
		err = fmt.Errorf("%q is none of threshold, event_filter, rate_filter, suppress", shorten(word))
	}
	return r, err
}

// target takes gen_id and sig_id off.
func (r *ThresholdRule) target(parts []string) (rest []string, err error) {
	given := map[string]bool{}
	for _, part := range parts {
		word, value, _ := strings.Cut(part, " ")
		var to *uint32
		switch word {
		case "gen_id":
			to = &r.GID
		case "sig_id":
			to = &r.SID
		default:
			rest = append(rest, part)
			continue
		}
		n, err := parseNumber(value, 0, 1<<32-1)
		if err != nil || given[word] {
			return nil, errors.Join(fmt.Errorf("%s stands twice, or is wrong", word), err)
		}
		*to, given[word] = uint32(n), true
	}
	if !given["gen_id"] || !given["sig_id"] {
		return nil, errors.New("gen_id and sig_id must be given; 0 means all")
	}
	if r.GID == 0 && r.SID != 0 {
		return nil, errors.New("a sig_id needs its gen_id, which is 1 if the rule names none")
	}
	return rest, nil
}

// part reads a word and its value of a line without type.
func (t *Threshold) part(part string, given map[string]bool) error {
	word, value, _ := strings.Cut(part, " ")
	if given[word] || word == "type" {
		return fmt.Errorf("%s stands twice, or has no meaning here", shorten(word))
	}
	given[word] = true
	return t.set(word, strings.TrimSpace(value))
}

func (r *ThresholdRule) suppress(parts []string, vars *Vars) error {
	r.Type = Suppress
	if len(parts) == 0 {
		r.AnyIP = true
		return nil
	}
	if len(parts) != 2 {
		return errors.New("suppress has track and ip, or neither")
	}
	slices.SortFunc(parts, func(a, b string) int { return strings.Compare(b, a) }) // track, ip
	track, by, _ := strings.Cut(parts[0], " ")
	ip, addresses, _ := strings.Cut(parts[1], " ")
	if track != "track" || ip != "ip" {
		return errors.New("suppress has track and ip, or neither")
	}
	switch strings.TrimSpace(by) {
	case "by_src":
		r.Track = BySrc
	case "by_dst":
		r.Track = ByDst
	case "by_either":
		r.Track = ByEither
	default:
		return fmt.Errorf("track cannot be %q: by_src, by_dst and by_either suppress", shorten(by))
	}
	var err error
	r.IPs, err = ParseAddresses(addresses, vars)
	return err
}

// splitList splits at commas that are not in brackets.
func splitList(s string) (parts []string, err error) {
	err = eachElement("["+strings.TrimSpace(s)+"]", func(e string) error {
		parts = append(parts, e)
		return nil
	})
	return parts, err
}
