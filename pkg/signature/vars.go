package signature

import (
	"errors"
	"fmt"
	"strings"
)

// Vars are the variables of addresses and ports that rules name with a $. Set them before the first rule is read.
type Vars struct {
	addressText, portText map[string]string
	addressSets           map[string]addressVar
	portSets              map[string]Ports
	open                  []string // being resolved, to find cycles
}

type addressVar struct {
	set     Addresses
	negated bool
}

// DefaultVars are Suricata's variables with its values, but for EXTERNAL_NET, which is any: where everything is private,
// "not the private ranges" would watch nothing. Ours stand at the end of each list.
func DefaultVars() Vars {
	const home = "$HOME_NET"
	return Vars{
		addressText: map[string]string{
			"HOME_NET":     "[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]",
			"EXTERNAL_NET": "any",
			"HTTP_SERVERS": home, "SMTP_SERVERS": home, "SQL_SERVERS": home, "DNS_SERVERS": home, "TELNET_SERVERS": home,
			"AIM_SERVERS": "any", "DC_SERVERS": home,
			"DNP3_SERVER": home, "DNP3_CLIENT": home, "MODBUS_CLIENT": home, "MODBUS_SERVER": home,
			"ENIP_CLIENT": home, "ENIP_SERVER": home,
			"CAMERAS": home, "VMS_SERVERS": home, "PLCS": home,
		},
		portText: map[string]string{
			"HTTP_PORTS": "80", "SHELLCODE_PORTS": "!80", "ORACLE_PORTS": "1521", "SSH_PORTS": "22", "DNP3_PORTS": "20000",
			"MODBUS_PORTS": "502", "FILE_DATA_PORTS": "[$HTTP_PORTS,110,143]", "FTP_PORTS": "21", "GENEVE_PORTS": "6081",
			"VXLAN_PORTS": "4789", "TEREDO_PORTS": "3544", "SIP_PORTS": "[5060,5061]",
			"RTSP_PORTS": "[554,8554]", "ONVIF_PORTS": "[80,2020,8000,8080,8899]",
		},
	}
}

// The names that Set knows begin with these.
const (
	addressGroups = "vars.address-groups."
	portGroups    = "vars.port-groups."
)

// Set gives a variable its value. The name is Suricata's: vars.address-groups.HOME_NET, vars.port-groups.HTTP_PORTS. The
// value is read when a rule names the variable, or by Check.
func (v *Vars) Set(name, value string) error {
	value = strings.TrimSpace(value)
	var group *map[string]string
	if n, ok := strings.CutPrefix(name, addressGroups); ok {
		name, group = n, &v.addressText
	} else if n, ok := strings.CutPrefix(name, portGroups); ok {
		name, group = n, &v.portText
	} else {
		return fmt.Errorf("%q is no variable: it begins with %s or %s", shorten(name), addressGroups, portGroups)
	}
	if !isName(name) {
		return fmt.Errorf("%q is no name of a variable: letters, digits, _ and - only", shorten(name))
	}
	if value == "" {
		return fmt.Errorf("variable %s has no value", name)
	}
	if *group == nil {
		*group = map[string]string{}
	}
	(*group)[name] = value
	v.addressSets, v.portSets = nil, nil
	return nil
}

// Check reads the values of all variables and says what is wrong with the first that is wrong.
func (v *Vars) Check() error {
	for _, name := range sortedKeys(v.addressText) {
		if _, _, err := v.addresses(name); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(v.portText) {
		if _, err := v.ports(name); err != nil {
			return err
		}
	}
	return nil
}

// addresses is the value of a variable. Each is read once, so that variables that name each other many times cost no more than
// their text.
func (v *Vars) addresses(name string) (Addresses, bool, error) {
	if s, ok := v.addressSets[name]; ok {
		return s.set, s.negated, nil
	}
	text, ok := v.addressText[name]
	if !ok {
		return Addresses{}, false, v.unknown(name, addressGroups, v.portText)
	}
	done, err := v.enter(name)
	if err != nil {
		return Addresses{}, false, err
	}
	defer done()
	set, negated, err := parseAddresses(text, v, 0)
	if err != nil {
		return Addresses{}, false, inVariable(name, err)
	}
	if v.addressSets == nil {
		v.addressSets = map[string]addressVar{}
	}
	v.addressSets[name] = addressVar{set, negated}
	return set, negated, nil
}

func (v *Vars) ports(name string) (Ports, error) {
	if p, ok := v.portSets[name]; ok {
		return p, nil
	}
	text, ok := v.portText[name]
	if !ok {
		return nil, v.unknown(name, portGroups, v.addressText)
	}
	done, err := v.enter(name)
	if err != nil {
		return nil, err
	}
	defer done()
	set, err := parsePorts(text, v, 0)
	if err != nil {
		return nil, inVariable(name, err)
	}
	if v.portSets == nil {
		v.portSets = map[string]Ports{}
	}
	v.portSets[name] = set
	return set, nil
}

func (v *Vars) enter(name string) (done func(), err error) {
	for _, open := range v.open {
		if open == name {
			return nil, fmt.Errorf("the variable $%s is part of itself", name)
		}
	}
	if len(v.open) >= maxNesting {
		return nil, errors.New("variables name each other more than 32 deep")
	}
	v.open = append(v.open, name)
	return func() { v.open = v.open[:len(v.open)-1] }, nil
}

func (v *Vars) unknown(name, group string, other map[string]string) error {
	if _, ok := other[name]; ok {
		return fmt.Errorf("the variable $%s is of the other kind (addresses and ports are apart)", name)
	}
	return fmt.Errorf("unknown variable $%s: set %s%s", shorten(name), group, shorten(name))
}

func inVariable(name string, err error) error { return fmt.Errorf("variable $%s: %w", name, err) }

func isName(s string) bool {
	for _, c := range []byte(s) {
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= 128
}
