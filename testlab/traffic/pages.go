package traffic

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"strings"
)

// words are what pages, mails and names are made of.
var words = strings.Fields(`about account action address admin album alert analytics android api app archive area article
	asset author auto back banner basket block blog board body book border bottom brand browser button cache calendar camera
	canvas card cart category center change channel chat check city class click client cloud code color column comment common
	community company config connect contact container content control cookie country cover create current custom daily data
	date day default delete delivery design detail device dialog digital direct document domain download drive edit editor
	element email embed enable energy error event example export face family feature feed field file filter find fire first
	flash float focus font footer form forum frame free front function gallery game gate global grid group guide handler head
	header health height help hidden high history home host hotel hour house icon image import index info input inside item
	java job json keyboard label language large layout league left level library light limit line link list live load local
	location log login logo lower mail main manager map market media member menu message meta method mobile model module
	money month mouse music name native network news next node note notice number object office offer online open option
	order origin page panel parent park part partner password path pay people photo phone place plan play player plugin point
	policy popup port portal post power press price print privacy product profile program project public quick quote radio
	rate read record region register release remote render report request reset resource response result return review right
	road root route rule sale sample save scale school screen script search season second section secure select send series
	server service session shadow shop show side sign simple single site size slide small social software solid sort source
	space special sport stack staff standard star start state static station status stock store story stream street string
	style subject submit summer support system table target task team test text theme thumb ticket time title token tool top
	total track trade traffic train travel tree type unit update upload url user value vendor version video view visit voice
	water weather web week welcome white width window winter word work world write year zone`)

func word(d *rand.Rand) string { return words[d.IntN(len(words))] }

func phrase(d *rand.Rand, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word(d))
	}
	return b.String()
}

// htmlPage is a page of about size bytes with links to assets.
func htmlPage(d *rand.Rand, size int, assets []string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>%s</title>\n", phrase(d, 5))
	for _, a := range assets {
		switch {
		case strings.HasSuffix(a, ".css"):
			fmt.Fprintf(&b, "<link rel=\"stylesheet\" type=\"text/css\" href=\"%s\" />\n", a)
		case strings.HasSuffix(a, ".js"):
			fmt.Fprintf(&b, "<script type=\"text/javascript\" src=\"%s\"></script>\n", a)
		default:
			fmt.Fprintf(&b, "<link rel=\"preload\" as=\"image\" href=\"%s\">\n", a)
		}
	}
	b.WriteString("</head>\n<body>\n")
	for b.Len() < size {
		switch d.IntN(6) {
		case 0:
			fmt.Fprintf(&b, "<div class=\"%s-%s\" id=\"%s%d\"><a href=\"/%s/%s.php?id=%d&amp;ref=%s\">%s</a></div>\n",
				word(d), word(d), word(d), d.IntN(100), word(d), word(d), d.IntN(1e6), word(d), phrase(d, 4))
		case 1:
			fmt.Fprintf(&b, "<img src=\"/images/%s_%d.jpg\" alt=\"%s\" width=\"%d\" height=\"%d\">\n", word(d), d.IntN(1000), phrase(d, 3), d.IntN(900), d.IntN(600))
		case 2:
			fmt.Fprintf(&b, "<form action=\"/%s\" method=\"post\"><input type=\"hidden\" name=\"%s\" value=\"%x\"><input type=\"text\" name=\"%s\"><input type=\"submit\" value=\"%s\"></form>\n",
				word(d), word(d), d.Uint64(), word(d), word(d))
		case 3:
			b.WriteString("<script>")
			b.Write(script(d, 400))
			b.WriteString("</script>\n")
		default:
			fmt.Fprintf(&b, "<p>%s. %s, %s.</p>\n", phrase(d, 12), phrase(d, 20), phrase(d, 9))
		}
	}
	b.WriteString("</body>\n</html>\n")
	return b.Bytes()
}

// script is JavaScript of about size bytes.
func script(d *rand.Rand, size int) []byte {
	var b bytes.Buffer
	for b.Len() < size {
		switch d.IntN(5) {
		case 0:
			fmt.Fprintf(&b, "function %s%s(e,t){var n=document.getElementById(\"%s\");if(!n)return null;n.innerHTML=t+\"%s\";return e.%s(n,%d)}\n",
				word(d), word(d), word(d), word(d), word(d), d.IntN(1000))
		case 1:
			fmt.Fprintf(&b, "var %s=window.%s||{};%s.push({\"%s\":%d,\"%s\":\"%s\"});\n", word(d), word(d), word(d), word(d), d.IntN(1e5), word(d), phrase(d, 3))
		case 2:
			fmt.Fprintf(&b, "for(var i=0;i<%d;i++){if(%s[i].%s===\"%s\"){%s+=String.fromCharCode(%s.charCodeAt(i)^%d)}}\n", d.IntN(100), word(d), word(d), word(d), word(d), word(d), d.IntN(255))
		case 3:
			fmt.Fprintf(&b, "$.ajax({url:\"/api/%s/%s\",type:\"POST\",data:{%s:%s},success:function(%s){console.log(%s)}});\n", word(d), word(d), word(d), word(d), word(d), word(d))
		default:
			fmt.Fprintf(&b, "// %s\nsetTimeout(function(){location.href=\"/%s?%s=\"+escape(%s)},%d);\n", phrase(d, 8), word(d), word(d), word(d), d.IntN(9000))
		}
	}
	return b.Bytes()
}

func styles(d *rand.Rand, size int) []byte {
	var b bytes.Buffer
	for b.Len() < size {
		fmt.Fprintf(&b, ".%s-%s .%s{margin:%dpx %dpx;color:#%06x;background:url(/img/%s.png) no-repeat;font:%dpx/%d %s,sans-serif}\n",
			word(d), word(d), word(d), d.IntN(40), d.IntN(40), d.IntN(1<<24), word(d), d.IntN(30), d.IntN(3), word(d))
	}
	return b.Bytes()
}

func jsonText(d *rand.Rand, size int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"items":[`)
	for b.Len() < size {
		fmt.Fprintf(&b, `{"id":%d,"%s":"%s","%s":%v,"%s":{"%s":%.3f,"%s":"%x"}},`, d.IntN(1e9), word(d), phrase(d, 4), word(d), d.IntN(2) == 0, word(d), word(d), d.Float64()*100, word(d), d.Uint64())
	}
	b.WriteString("{}]}\n")
	return b.Bytes()
}

// jpeg has the markers of a JFIF picture and entropy-coded data.
func jpeg(d *rand.Rand, size int) []byte {
	head := []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x01\x00\x48\x00\x48\x00\x00\xff\xdb\x00\x43\x00")
	scan := []byte("\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00")
	b := append(append(head, randomBytes(d, 64)...), scan...)
	return append(append(b, randomBytes(d, size)...), 0xff, 0xd9)
}

// firmware is what an update looks like: a header, squashfs, compressed data.
func firmware(d *rand.Rand, size int) []byte {
	return append([]byte("\x27\x05\x19\x56CAMFW\x00\x00\x00hsqs\x00\x04"), randomBytes(d, size)...)
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
