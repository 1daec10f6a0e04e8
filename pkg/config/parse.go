package config

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode"

	"citygate/pkg/policy/document"
)

// The keys of a config file, by the map they stand in.
var (
	topKeys        = []string{"site", "bridges", "policy", "management", "state_dir", "log_dir", "run_dir", "bpf_dir", "uid_base"}
	siteKeys       = []string{"name"}
	bridgeKeys     = []string{"name", "camera_port", "server_port", "mode", "inspect", "on_failure", "on_overload", "stp", "lldp"}
	managementKeys = []string{"interface", "allow_from", "ports"}
)

// maxBridges bounds the bridges of one box.
const maxBridges = 16

// parser reads one file into a Config.
type parser struct {
	*Config
	bridges map[string]int            // name -> line
	used    map[string]document.Place // interfaces
	dirs    map[string]string         // folder -> key
}

// Parse reads a config. env gives the value of ${NAME}; it is asked for no other name. The error is an Errors.
func Parse(file string, text []byte, env func(name string) (string, bool)) (*Config, error) {
	doc, err := document.Parse(file, text)
	if err != nil {
		return nil, err
	}
	doc.Env = env
	p := &parser{
		Config:  &Config{File: file, BPFDir: DefaultBPFDir, UIDBase: DefaultUIDBase},
		bridges: map[string]int{}, used: map[string]document.Place{}, dirs: map[string]string{},
	}
	top := doc.Root().Fields(topKeys...)
	if v, ok := top.Need("site", "write site: {name: school-14}"); ok {
		p.site(v)
	}
	if v, ok := top.Need("bridges", "write bridges: [{name: cctv, camera_port: g0, server_port: g1}]"); ok {
		p.readBridges(v)
	}
	if v, ok := top.Need("policy", "write policy: policy.yaml"); ok {
		p.policyFile(v)
	}
	if v, ok := top.Get("management"); ok {
		p.management(v)
	}
	p.StateDir = p.dir(top, "state_dir", DefaultStateDir)
	p.LogDir = p.dir(top, "log_dir", DefaultLogDir)
	p.RunDir = p.dir(top, "run_dir", DefaultRunDir)
	p.BPFDir = p.dir(top, "bpf_dir", DefaultBPFDir)
	if v, ok := top.Get("uid_base"); ok {
		p.UIDBase, _ = v.Int(1000, maxUIDBase)
	}
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return p.Config, nil
}

// maxUIDBase leaves room for the workers' numbers below the largest uid that 32-bit signed tools understand.
const maxUIDBase = 1<<31 - 1 - 100

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func (p *parser) site(v document.Value) {
	name, ok := v.Fields(siteKeys...).Need("name", "write name: school-14")
	if !ok {
		return
	}
	s, ok := name.Text("the site's name")
	if ok && !nameForm.MatchString(s) {
		name.Fail(document.Quote(s)+" is not a site name", "use letters, digits, '.', '_' and '-', at most 63, beginning with a letter or digit")
	}
	p.Site.Name = s
}

func (p *parser) policyFile(v document.Value) {
	s, ok := v.Text("the path of the policy file")
	if !ok {
		return
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		v.Fail(document.Quote(s)+" has control characters", "write the path of the policy file")
	}
	if !path.IsAbs(s) {
		s = path.Join(path.Dir(p.File), s)
	}
	p.Policy = path.Clean(s)
}

// dir reads a folder. Each process may write into its own only, so no folder serves two ends or lies in another.
func (p *parser) dir(top document.Fields, key, otherwise string) string {
	dir := otherwise
	v, given := top.Get(key)
	if given {
		s, ok := v.Text("an absolute path such as " + otherwise)
		if !ok {
			return ""
		}
		dir = path.Clean(s)
		switch {
		case !path.IsAbs(s):
			v.Fail(document.Quote(s)+" is not an absolute path", "write one such as "+otherwise)
			return ""
		case dir == "/" || strings.ContainsFunc(s, unicode.IsControl):
			v.Fail(document.Quote(s)+" cannot be a folder of the gateway", "write one such as "+otherwise)
			return ""
		case key == "run_dir" && len(dir)+len("/citygate.sock") > maxSocketPath:
			v.Fail(fmt.Sprintf("the socket's path below it has %d bytes", len(dir)+len("/citygate.sock")), fmt.Sprintf("the most is %d: write a shorter path", maxSocketPath))
		}
	}
	for _, other := range []string{"state_dir", "log_dir", "run_dir", "bpf_dir"} {
		d, known := p.dirs[other]
		if known && (d == dir || within(d, dir) || within(dir, d)) {
			at, ok := top.Get(key)
			if !ok {
				at, _ = top.Get(other) // two defaults never clash, so one of them stands in the file
			}
			at.Fail(fmt.Sprintf("%s (%s) and %s (%s) share a folder", key, document.Quote(dir), other, document.Quote(d)), "give each a folder of its own")
		}
	}
	p.dirs[key] = dir
	return dir
}

// maxSocketPath is sun_path's room less the final zero (unix(7)).
const maxSocketPath = 107

func within(outer, inner string) bool { return strings.HasPrefix(inner, outer+"/") }
