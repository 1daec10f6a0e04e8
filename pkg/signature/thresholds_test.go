package signature

import (
	"net/netip"
	"strings"
	"testing"
)

func TestReadThresholds(t *testing.T) {
	text := `# a comment
threshold gen_id 1, sig_id 1000001, type both, track by_flow, count 5, seconds 60
event_filter gen_id 0, sig_id 0, type limit, track by_src, count 1, seconds 60
rate_filter gen_id 1, sig_id 7, track by_both, count 1, seconds 60, new_action reject, timeout 1000
suppress gen_id 1, sig_id 8, track by_either, ip [145.254.160.0/24,!145.254.160.1, \
    10.0.0.1]
suppress gen_id 1, sig_id 9
suppress gen_id 1, sig_id 10, track by_src, ip $HOME_NET
`
	vars := DefaultVars()
	got, err := ReadThresholds("t", strings.NewReader(text), &vars)
	if err != nil || len(got) != 6 {
		t.Fatalf("%d rules, %v", len(got), err)
	}
	same := func(i int, want ThresholdRule) {
		t.Helper()
		have := got[i]
		if have.IPs = (Addresses{}); have.Threshold.Type != want.Type || have.Track != want.Track || have.Count != want.Count ||
			have.Seconds != want.Seconds || have.GID != want.GID || have.SID != want.SID || have.NewAction != want.NewAction ||
			have.Timeout != want.Timeout || have.AnyIP != want.AnyIP {
			t.Errorf("rule %d: %+v, want %+v", i, have, want)
		}
	}
	same(0, ThresholdRule{1, 1000001, Threshold{Type: LimitThreshold, Track: ByFlow, Count: 5, Seconds: 60}})
	same(1, ThresholdRule{0, 0, Threshold{Type: Limit, Track: BySrc, Count: 1, Seconds: 60}})
	same(2, ThresholdRule{1, 7, Threshold{Type: RateFilter, Track: ByPair, Count: 1, Seconds: 60, NewAction: Reject, Timeout: 1000}})
	same(3, ThresholdRule{1, 8, Threshold{Type: Suppress, Track: ByEither}})
	same(4, ThresholdRule{1, 9, Threshold{Type: Suppress, AnyIP: true}})
	same(5, ThresholdRule{1, 10, Threshold{Type: Suppress, Track: BySrc}})
	for ip, want := range map[string]bool{"145.254.160.7": true, "145.254.160.1": false, "10.0.0.1": true, "10.0.0.2": false} {
		if got[3].IPs.Contains(netip.MustParseAddr(ip)) != want {
			t.Errorf("%s: %v", ip, !want)
		}
	}
}

func TestReadThresholdsRefused(t *testing.T) {
	for _, line := range []string{
		"limit gen_id 1, sig_id 1",
		"threshold",
		"threshold gen_id 1, type limit, track by_src, count 1, seconds 1",
		"threshold gen_id 0, sig_id 5, type limit, track by_src, count 1, seconds 1",
		"threshold gen_id 1, sig_id 1, sig_id 2, type limit, track by_src, count 1, seconds 1",
		"threshold gen_id 1, sig_id 1, type limit, track by_src, count 1",
		"threshold gen_id 1, sig_id 1, type limit, track by_src, count 0, seconds 1",
		"threshold gen_id 1, sig_id 1, type never, track by_src, count 1, seconds 1",
		"threshold gen_id 1, sig_id 1, type limit, track by_colour, count 1, seconds 1",
		"threshold gen_id 1, sig_id 1, type limit, track by_src, count 1, seconds 1, timeout 5",
		"threshold gen_id 1, sig_id 1, type detection_filter, track by_src, count 1, seconds 1",
		"rate_filter gen_id 1, sig_id 0, track by_src, count 1, seconds 1, new_action drop, timeout 1",
		"rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds 1, new_action sleep, timeout 1",
		"rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds 1, timeout 1",
		"rate_filter gen_id 1, sig_id 1, type limit, track by_src, count 1, seconds 1, new_action drop, timeout 1",
		"suppress gen_id 1, sig_id 1, track by_src",
		"suppress gen_id 1, sig_id 1, track by_rule, ip 10.0.0.1",
		"suppress gen_id 1, sig_id 1, track by_src, ip $NOBODY",
		"suppress gen_id 1, sig_id 1, track by_src, ip [10.0.0.1",
	} {
		vars := DefaultVars()
		if _, err := ReadThresholds("t", strings.NewReader("\n"+line), &vars); err == nil || !strings.HasPrefix(err.Error(), "t:2: ") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestThresholdKeyword(t *testing.T) {
	tests := []struct {
		options string
		want    Threshold
	}{
		{"threshold: type limit, track by_src, seconds 3600, count 1;", Threshold{Type: Limit, Track: BySrc, Count: 1, Seconds: 3600}},
		{"threshold:type threshold,track by_rule,count 2,seconds 3;", Threshold{Type: ThresholdEach, Track: ByRule, Count: 2, Seconds: 3}},
		{"threshold:type backoff, track by_flow, count 2, multiplier 10;", Threshold{Type: Backoff, Track: ByFlow, Count: 2, Multiplier: 10}},
		{"detection_filter: track by_dst, count 4, seconds 20;", Threshold{Type: DetectionFilter, Track: ByDst, Count: 4, Seconds: 20}},
		{"detection_filter:track by_src, count 4, seconds 20, unique_on dst_port;", Threshold{Type: DetectionFilter, Track: BySrc, Count: 4, Seconds: 20, Distinct: 2}},
	}
	for _, test := range tests {
		s := parse(t, "alert tcp any any -> any any ("+test.options+" sid:1;)")
		if len(s.Thresholds) != 1 {
			t.Fatalf("%s: %v", test.options, s.Thresholds)
		}
		got := s.Thresholds[0]
		if got.Type != test.want.Type || got.Track != test.want.Track || got.Count != test.want.Count || got.Seconds != test.want.Seconds ||
			got.Multiplier != test.want.Multiplier || got.Distinct != test.want.Distinct {
			t.Errorf("%s: %+v", test.options, got)
		}
	}
	for _, options := range []string{
		"threshold:type limit;", "threshold:type backoff, track by_src, count 2, multiplier 10;", "threshold:;",
		"threshold:type limit, track by_src, count 1, seconds 1; threshold:type limit, track by_src, count 1, seconds 1;",
		"threshold:type limit, track by_src, count 1, seconds 1; detection_filter:track by_src, count 1, seconds 1;",
		"threshold:type limit, type both, track by_src, count 1, seconds 1;",
		"detection_filter:track by_src, count 1, seconds 1, unique_on colour;", "detection_filter:type limit, track by_src, count 1, seconds 1;",
	} {
		refusal(t, "alert tcp any any -> any any ("+options+" sid:1;)")
	}
	refusal(t, "alert icmp any any -> any any (detection_filter:track by_src, count 1, seconds 1, unique_on dst_port; sid:1;)")
}
