package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// askPeer asks Suricata, with the rules of the sample: once about all stories, then about a twin of each at a time.
func (c *card) askPeer(root, dir string, progress io.Writer) error {
	dir, err := filepath.Abs(filepath.Join(dir, "peer"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	seen, rules := map[string]bool{}, ""
	for _, q := range c.asked {
		for i, t := range q.texts() {
			id := fmt.Sprint("sid:", sidOf(t))
			if !seen[id] {
				seen[id] = true
				rules += t + "\n"
			} else if i == 0 {
				rules = strings.ReplaceAll(rules, q.rule.text, t)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "sample.rules"), []byte(rules), 0o644); err != nil {
		return err
	}
	for batch := 0; ; batch++ {
		var stories []*story
		for _, q := range c.asked {
			if batch == 0 {
				stories = append(stories, q.story)
			} else if batch <= len(q.twins) {
				stories = append(stories, q.twins[batch-1])
			}
		}
		if len(stories) == 0 {
			break
		}
		got, err := peerAlerts(root, dir, batch, stories)
		if err != nil {
			return err
		}
		for _, q := range c.asked {
			if batch == 0 {
				q.peer.alert = got.of(q.story) > 0
			} else if batch <= len(q.twins) {
				q.peer.twins = append(q.peer.twins, got.of(q.twins[batch-1]) > 0)
			}
		}
		fmt.Fprintf(progress, "Suricata: batch %d of %d stories\n", batch, len(stories))
	}
	c.peer = true
	return nil
}

func sidOf(text string) int {
	r, err := cut(text)
	if err != nil {
		return 0
	}
	return r.sid
}

// enter runs Suricata inside its root, in a mount namespace of its own.
const enter = `mount --bind "$1" "$2/mnt" && mount --bind /dev "$2/dev" && mount -t proc proc "$2/proc" && shift && exec chroot "$@"`

func peerAlerts(root, dir string, batch int, stories []*story) (alerts, error) {
	if err := writeCapture(filepath.Join(dir, "in.pcap"), stories...); err != nil {
		return nil, err
	}
	log := filepath.Join(dir, fmt.Sprintf("log%d", batch))
	if err := os.RemoveAll(log); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(log, 0o755); err != nil {
		return nil, err
	}
	args := []string{
		"-m", "sh", "-c", enter, "sh", dir, root, "suricata", "-c", "/etc/suricata/suricata.yaml", "-r", "/mnt/in.pcap",
		"-S", "/mnt/sample.rules", "-l", "/mnt/" + filepath.Base(log), "-k", "none", "--runmode", "single",
	}
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for n := range addressVars {
			if !yield(n) {
				return
			}
		}
	}) {
		args = append(args, "--set", "vars.address-groups."+name+"="+addressVars[name])
	}
	if out, err := exec.Command("unshare", args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("run Suricata: %w: %s", err, out)
	}
	return readAlerts(filepath.Join(log, "eve.json"))
}

// readAlerts reads the alerts of an EVE file.
func readAlerts(file string) (alerts, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := alerts{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e struct {
			Type  string     `json:"event_type"`
			Src   netip.Addr `json:"src_ip"`
			Dst   netip.Addr `json:"dest_ip"`
			Alert struct {
				SID int `json:"signature_id"`
			}
		}
		if !strings.Contains(in.Text(), `"event_type":"alert"`) {
			continue
		}
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out.add(e.Alert.SID, e.Src, e.Dst)
	}
	return out, in.Err()
}
