// Package gateway runs the product in the lab city: it writes its config and policy, starts and kills its processes,
// and asks it by its command line, as a person would.
package gateway

import (
	"fmt"
	"net/netip"
	"strings"

	"citygate/testlab/topology"
)

// Config is the city's citygate.yaml.
func Config(mode string) string {
	return fmt.Sprintf(`# The lab city's gateway.
site: {name: lab-city}
bridges:
  - {name: cctv, camera_port: %s, server_port: %s, mode: %s, inspect: off, on_failure: open, on_overload: pass}
policy: policy.yaml
management: {interface: %s, allow_from: [10.9.0.0/24], ports: [tcp/22, tcp/8443]}
state_dir: /var/lib/citygate
log_dir: /var/log/citygate
run_dir: /run/citygate
`, topology.CameraPort, topology.ServerPort, mode, topology.ManagementPort)
}

// Policy is the city's policy.yaml: what the video servers need of the cameras, and no more. Extra lines are further
// devices, in YAML, indented by two.
func Policy(extra ...string) string {
	var b strings.Builder
	b.WriteString("# The lab city's policy.\ndevices:\n")
	for _, h := range topology.City() {
		switch h.Role {
		case topology.Camera, topology.VMS, topology.Router:
			b.WriteString(device(h))
		}
	}
	for _, line := range extra {
		b.WriteString("  " + line + "\n")
	}
	b.WriteString(allowed)
	return b.String()
}

const allowed = `groups:
  cameras: {role: camera}
allow:
  - {from: main,    to: cameras, services: [rtsp, onvif, http, icmp-echo, ws-discovery]}
  - {from: remote,  to: cameras, services: [rtsp, onvif, http]}
  - {from: cameras, to: main,    services: [rtp, dhcp, ntp, dns]}
  - {from: cameras, to: remote,  services: [rtp]}
`

func device(h topology.Host) string {
	role := string(h.Role)
	switch {
	case h.Name == topology.Remote:
		return fmt.Sprintf("  %s: {ip: [%s], via: %s, role: %s}\n", h.Name, h.Addrs[0].Masked(), topology.Core, role)
	case h.DHCP:
		return fmt.Sprintf("  %s: {mac: %q, ip: dhcp, role: %s}\n", h.Name, h.MAC, role)
	}
	var addrs []string
	for _, p := range h.Addrs {
		addrs = append(addrs, quoted(p.Addr()))
	}
	return fmt.Sprintf("  %s: {mac: %q, ip: [%s], role: %s}\n", h.Name, h.MAC, strings.Join(addrs, ", "), role)
}

// quoted keeps YAML from reading an IPv6 address as a mapping.
func quoted(a netip.Addr) string { return fmt.Sprintf("%q", a) }
