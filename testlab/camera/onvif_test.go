package camera

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"citygate/testlab/topology"
)

func TestONVIF(t *testing.T) {
	c := &Camera{host: topology.Find("lobby-1"), meter: newMeter()}
	server := httptest.NewServer(c.web())
	defer server.Close()
	tests := []struct {
		operation, want string
		status          int
	}{
		{"GetDeviceInformation", "<tds:Model>LO-720</tds:Model>", 200},
		{"GetSystemDateAndTime", "<tt:DateTimeType>NTP</tt:DateTimeType>", 200},
		{"GetProfiles", `token="main"`, 200},
		{"GetStreamUri", "<tt:Uri>rtsp://127.0.0.1/stream</tt:Uri>", 200},
		{"SetSystemFactoryDefault", "<s:Fault>", 400},
	}
	for _, tt := range tests {
		body := `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><x:` + tt.operation +
			` xmlns:x="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>`
		res, err := server.Client().Post(server.URL+"/onvif/device_service", "application/soap+xml", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != tt.status || !strings.Contains(string(got), tt.want) {
			t.Errorf("%s: %d, %v, %s; want %d with %s", tt.operation, res.StatusCode, err, got, tt.status, tt.want)
		}
	}
}
