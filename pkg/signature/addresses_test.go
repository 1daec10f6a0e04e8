package signature

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	tests := []struct {
		text    string
		in, out string
	}{
		{"any", "0.0.0.0 255.255.255.255 :: ffff::", ""},
		{"10.0.0.1", "10.0.0.1", "10.0.0.0 10.0.0.2 ::1"},
		{"10.0.0.77/8", "10.0.0.0 10.255.255.255", "9.255.255.255 11.0.0.0"},
		{"0.0.0.0/0", "0.0.0.0 255.255.255.255", "::"},
		{"10.0.0.0/255.255.0.0", "10.0.255.255", "10.1.0.0"},
		{"10.0.0.5-10.0.0.9", "10.0.0.5 10.0.0.9", "10.0.0.4 10.0.0.10"},
		{"!10.0.0.0/8", "9.0.0.0 ::1", "10.0.0.1"},
		{"2001:db8::/32", "2001:db8:: 2001:db8:ffff::", "2001:db9:: 10.0.0.1"},
		{"2001:db8::1-2001:db8::3", "2001:db8::2", "2001:db8::4"},
		{"::ffff:10.0.0.0/104", "", "10.0.0.1"}, // written as IPv6, so it is of IPv6 packets
		{"[10.0.0.1,10.0.0.3]", "10.0.0.1 10.0.0.3", "10.0.0.2"},
		{"[10.0.0.0/8,!10.1.0.0/16]", "10.0.0.1 10.2.0.0", "10.1.2.3 11.0.0.0"},
		{"[10.0.0.0/8, !10.1.0.0/16, 10.1.1.0/24]", "10.0.0.1", "10.1.1.1"}, // what is negated is out
		{"[!10.0.0.1,!10.0.0.2]", "10.0.0.3 ::1", "10.0.0.1 10.0.0.2"},
		{"![10.0.0.1,10.0.0.2]", "10.0.0.3", "10.0.0.1 10.0.0.2"},
		{"[10.0.0.0/8,![10.1.0.0/16,!10.1.1.0/24]]", "10.0.0.1 10.1.1.1", "10.1.2.1"},
		{"$HOME_NET", "192.168.1.1 172.31.0.1 10.0.0.1", "172.32.0.0 8.8.8.8"},
		{"[$HOME_NET,!$CAMERAS,8.8.8.8]", "8.8.8.8", "10.0.0.1"},
		{"!$HOME_NET", "8.8.8.8 ::1", "10.0.0.1"},
		{"$EXTERNAL_NET", "10.0.0.1 8.8.8.8", ""},
		{"ANY", "1.2.3.4", ""},
	}
	for _, test := range tests {
		vars := DefaultVars()
		a, err := ParseAddresses(test.text, &vars)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		for _, ip := range strings.Fields(test.in) {
			if addr := netip.MustParseAddr(ip); !addr.Is4In6() && !a.Contains(addr) {
				t.Errorf("%s: %s is not in it: %v", test.text, ip, a)
			}
		}
		for _, ip := range strings.Fields(test.out) {
			if a.Contains(netip.MustParseAddr(ip)) {
				t.Errorf("%s: %s is in it: %v", test.text, ip, a)
			}
		}
	}
}

func TestAddressesRefused(t *testing.T) {
	deep := strings.Repeat("[", 100) + "10.0.0.1" + strings.Repeat("]", 100)
	for _, text := range []string{
		"", "!", "!any", "10.0.0", "10.0.0.256", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/x", "10.0.0.1/255.0.255.0", "10.0.0.9-10.0.0.5",
		"10.0.0.1-::1", "x", "::1/129", "::2-::1", "fe80::1%eth0", "[", "[]", "[10.0.0.1,]", "[,10.0.0.1]", "[10.0.0.1", "[10.0.0.1]]", "[[10.0.0.1]",
		"[10.0.0.1,!10.0.0.0/8]", "[any,!any]", "$", "$nowhere", deep, strings.Repeat("!", 100) + "10.0.0.1",
	} {
		vars := DefaultVars()
		if a, err := ParseAddresses(text, &vars); err == nil {
			t.Errorf("%q: %v", text, a)
		}
	}
}

// Sets behave as sets: a list is compared, number by number, with what its elements say.
func TestAddressesAsSets(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var text []string
		var in, out [256]bool
		positive := false
		for range 1 + r.IntN(6) {
			lo := r.IntN(256)
			hi := lo + r.IntN(256-lo)
			e, set := "10.0.0."+itoa(lo)+"-10.0.0."+itoa(hi), &in
			six := "2001:db8::" + hex4(lo) + "-2001:db8::" + hex4(hi)
			if r.IntN(3) == 0 {
				e, six, set = "!"+e, "!"+six, &out
			} else {
				positive = true
			}
			text = append(text, e, six)
			for i := lo; i <= hi; i++ {
				set[i] = true
			}
		}
		vars := DefaultVars()
		list := "[" + strings.Join(text, ",") + "]"
		a, err := ParseAddresses(list, &vars)
		for i := range 256 {
			want := (in[i] || !positive) && !out[i]
			if err != nil {
				if want {
					t.Fatalf("%s: %v", list, err)
				}
				continue
			}
			for _, ip := range []string{"10.0.0." + itoa(i), "2001:db8::" + hex4(i)} {
				if a.Contains(netip.MustParseAddr(ip)) != want {
					t.Fatalf("%s: %s is in: %v, want %v", list, ip, !want, want)
				}
			}
		}
		for i := 1; i < len(a.V4); i++ {
			if uint64(a.V4[i].Lo) <= uint64(a.V4[i-1].Hi)+1 {
				t.Fatalf("%s: ranges touch: %v", list, a.V4)
			}
		}
	}
}

func itoa(n int) string { return netip.AddrFrom4([4]byte{0, 0, 0, byte(n)}).String()[6:] }

func hex4(n int) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[n>>4], digits[n&15]})
}

func TestPorts(t *testing.T) {
	tests := []struct {
		text    string
		in, out []uint16
	}{
		{"any", []uint16{0, 65535}, nil},
		{"80", []uint16{80}, []uint16{79, 81}},
		{"80:90", []uint16{80, 90}, []uint16{79, 91}},
		{"1024:", []uint16{1024, 65535}, []uint16{1023}},
		{":1023", []uint16{0, 1023}, []uint16{1024}},
		{"!80", []uint16{79, 81}, []uint16{80}},
		{"!80:90", []uint16{79, 91}, []uint16{80, 85, 90}},
		{"[80,443]", []uint16{80, 443}, []uint16{81}},
		{"[80, 1000:2000, !1500:1600]", []uint16{80, 1000, 1499, 1601}, []uint16{1500, 1600}},
		{"[!80,!443]", []uint16{81}, []uint16{80, 443}},
		{"[1:100,![50:60,!55]]", []uint16{1, 55, 100}, []uint16{50, 60, 101}},
		{"$FILE_DATA_PORTS", []uint16{80, 110, 143}, []uint16{81}},
		{"$SHELLCODE_PORTS", []uint16{0, 79, 81}, []uint16{80}},
		{"!$HTTP_PORTS", []uint16{81}, []uint16{80}},
		{"[0:65535]", []uint16{0, 65535}, nil},
	}
	for _, test := range tests {
		vars := DefaultVars()
		p, err := ParsePorts(test.text, &vars)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		for _, n := range test.in {
			if !p.Contains(n) {
				t.Errorf("%s: %d is not in %v", test.text, n, p)
			}
		}
		for _, n := range test.out {
			if p.Contains(n) {
				t.Errorf("%s: %d is in %v", test.text, n, p)
			}
		}
	}
	for _, text := range []string{"", "!any", "65536", "-1", "80:70", ":", "x", "80-90", "[", "[]", "[80,]", "[80", "80]", "[80,!1:100]", "$HOME_NET", "$x"} {
		vars := DefaultVars()
		if p, err := ParsePorts(text, &vars); err == nil {
			t.Errorf("%q: %v", text, p)
		}
	}
}

func TestVars(t *testing.T) {
	vars := DefaultVars()
	if err := vars.Check(); err != nil {
		t.Fatal(err)
	}
	set := func(name, value string) {
		t.Helper()
		if err := vars.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	set("vars.address-groups.HOME_NET", "[1.2.3.0/24]")
	a, err := ParseAddresses("$HTTP_SERVERS", &vars)
	if err != nil || !a.Contains(netip.MustParseAddr("1.2.3.4")) || a.Contains(netip.MustParseAddr("10.0.0.1")) {
		t.Errorf("HTTP_SERVERS is HOME_NET: %v, %v", a, err)
	}
	set("vars.port-groups.MINE", "7")
	if p, err := ParsePorts("$MINE", &vars); err != nil || !p.Contains(7) {
		t.Errorf("MINE: %v, %v", p, err)
	}
	for _, wrong := range [][2]string{
		{"HOME_NET", "any"}, {"vars.address-groups.", "any"}, {"vars.port-groups.A B", "any"}, {"vars.address-groups.X", " "},
	} {
		if err := vars.Set(wrong[0], wrong[1]); err == nil {
			t.Errorf("%q was set", wrong)
		}
	}
	set("vars.address-groups.A", "$B")
	set("vars.address-groups.B", "[$C,10.0.0.1]")
	set("vars.address-groups.C", "!$A")
	if err := vars.Check(); err == nil || !strings.Contains(err.Error(), "part of itself") {
		t.Errorf("a cycle: %v", err)
	}
	set("vars.address-groups.C", "$D")
	if err := vars.Check(); err == nil || !strings.Contains(err.Error(), "address-groups.D") {
		t.Errorf("an unknown variable: %v", err)
	}
}

// Variables that name each other many times cost no more than their text.
func TestVarsBomb(t *testing.T) {
	vars := DefaultVars()
	names := "ABCDEFGHIJKLMNOPQRSTUVWXY"
	for i := range len(names) - 1 {
		next := "$" + names[i+1:i+2]
		if err := vars.Set("vars.address-groups."+names[i:i+1], "["+strings.Repeat(next+",", 50)+next+"]"); err != nil {
			t.Fatal(err)
		}
	}
	if err := vars.Set("vars.address-groups.Y", "10.0.0.1"); err != nil {
		t.Fatal(err)
	}
	a, err := ParseAddresses("$A", &vars)
	if err != nil || len(a.V4) != 1 {
		t.Errorf("%v, %v", a, err)
	}
}
