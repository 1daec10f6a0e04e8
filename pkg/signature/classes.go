package signature

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
)

// Class is a kind of attack: EVE's category, and the priority of rules that name none.
type Class struct {
	Description string
	Priority    uint32
}

// Classes are the kinds of attack by their short names.
type Classes map[string]Class

// DefaultClasses are the public kinds that Suricata's and the public rules use, with the descriptions that readers of EVE know.
func DefaultClasses() Classes { return maps.Clone(defaultClasses) }

// ReadClasses reads classification.config into classes that are there already: lines such as
//
//	config classification: trojan-activity,A Network Trojan was detected,1
//
// The error names the first line that is wrong.
func (c Classes) ReadClasses(file string, r io.Reader) error {
	return eachConfigLine(file, r, func(line string) error {
		value, ok := configValue(line, "classification")
		if !ok {
			return errors.New("not a line such as config classification: name,description,priority")
		}
		parts := strings.Split(value, ",")
		if len(parts) < 3 {
			return errors.New("a class is name,description,priority")
		}
		name := strings.ToLower(strings.TrimSpace(parts[0]))
		description := strings.TrimSpace(strings.Join(parts[1:len(parts)-1], ","))
		priority, err := parseNumber(parts[len(parts)-1], 1, 255)
		if err != nil {
			return fmt.Errorf("priority: %w", err)
		}
		if name == "" || description == "" {
			return errors.New("a class has no name or no description")
		}
		c[name] = Class{description, uint32(priority)}
		return nil
	})
}

// ReadReferences reads reference.config into references that are there already: lines such as
//
//	config reference: cve https://www.cve.org/CVERecord?id=CVE-
func ReadReferences(file string, r io.Reader, references map[string]string) error {
	return eachConfigLine(file, r, func(line string) error {
		value, ok := configValue(line, "reference")
		system, prefix, two := strings.Cut(value, " ")
		if !ok || !two || system == "" {
			return errors.New("not a line such as config reference: system prefix")
		}
		references[strings.ToLower(system)] = strings.TrimSpace(prefix)
		return nil
	})
}

// DefaultReferences are the public reference systems.
func DefaultReferences() map[string]string {
	return map[string]string{
		"bugtraq": "http://www.securityfocus.com/bid/", "bid": "http://www.securityfocus.com/bid/",
		"cve": "https://cve.mitre.org/cgi-bin/cvename.cgi?name=CVE-", "secunia": "http://www.secunia.com/advisories/",
		"arachnids": "http://www.whitehats.com/info/IDS", "mcafee": "http://vil.nai.com/vil/content/v_",
		"nessus": "http://cgi.nessus.org/plugins/dump.php3?id=", "url": "http://", "et": "http://doc.emergingthreats.net/",
		"etpro": "http://doc.emergingthreatspro.com/", "telus": "http://", "osvdb": "http://osvdb.org/show/osvdb/",
		"threatexpert": "http://www.threatexpert.com/report.aspx?md5=", "md5": "http://www.threatexpert.com/report.aspx?md5=",
		"exploitdb": "https://www.exploit-db.com/exploits/", "openpacket": "https://www.openpacket.org/capture/grab/",
		"securitytracker": "http://securitytracker.com/id?", "xforce": "http://xforce.iss.net/xforce/xfdb/",
		"msft": "https://technet.microsoft.com/security/bulletin/",
	}
}

// configValue is what stands behind "config what:".
func configValue(line, what string) (string, bool) {
	rest, ok := strings.CutPrefix(line, "config")
	if !ok {
		return "", false
	}
	rest, ok = strings.CutPrefix(strings.TrimSpace(rest), what)
	if !ok {
		return "", false
	}
	rest, ok = strings.CutPrefix(strings.TrimSpace(rest), ":")
	return strings.TrimSpace(rest), ok
}

// maxConfigLine is how long a line of a configuration file may be; a suppress line may list many addresses.
const maxConfigLine = MaxRule

// eachConfigLine gives the lines that are neither empty nor comments. A line that ends with a backslash goes on.
func eachConfigLine(file string, r io.Reader, each func(line string) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), maxConfigLine)
	n, whole := 0, ""
	for s.Scan() {
		n++
		line := strings.TrimSpace(strings.TrimPrefix(s.Text(), "\ufeff"))
		if more, ok := strings.CutSuffix(line, "\\"); ok && len(whole) < maxConfigLine {
			whole += more
			continue
		}
		line, whole = strings.TrimSpace(whole+line), ""
		if line == "" || line[0] == '#' {
			continue
		}
		if err := each(line); err != nil {
			return fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", file, n+1, err)
	}
	return nil
}
