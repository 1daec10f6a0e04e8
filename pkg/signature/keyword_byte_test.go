package signature

import "testing"

func TestByteTest(t *testing.T) {
	checkJudgements(t, []judgement{
		{`byte_test:1,=,5,0;`, "\x05", true},
		{`byte_test:1,=,5,1;`, "\x05", false},
		{`byte_test:2,>,0x100,0;`, "\x01\x01", true},
		{`byte_test:2,>,0x101,0;`, "\x01\x01", false},
		{`byte_test:2,<,256,0,little;`, "\x02\x00", true},
		{`byte_test:2,<,256,0,big;`, "\x02\x00", false},
		{`byte_test:2,<=,512,0;`, "\x02\x00", true},
		{`byte_test:2,>=,513,0;`, "\x02\x00", false},
		{`byte_test:1,!=,5,0;`, "\x06", true},
		{`byte_test:1,!,5,0;`, "\x05", false},
		{`byte_test:1,!>,5,0;`, "\x05", true},
		{`byte_test:1,&,0x81,0;`, "\x80", true},
		{`byte_test:1,!&,128,0;`, "\x7f", true},
		{`byte_test:1,^,5,0;`, "\x05", false},
		{`byte_test:8,=,0xffffffffffffffff,0;`, "\xff\xff\xff\xff\xff\xff\xff\xff", true},
		{`byte_test:4,=,123,0,string,dec;`, "123 ", true},
		{`byte_test:4,=,0x1a,0,string,hex;`, "0x1A", true},
		{`byte_test:3,=,8,0,string,oct;`, "010", true},
		{`byte_test:0,=,66,0,string,dec;`, "66", true},
		{`byte_test:4,=,0,0,string,dec;`, "none", false},
		{`byte_test:4,!=,0,0,string,dec;`, "none", false},
		{`byte_test:1,!=,5,9;`, "\x05", false},
		{`content:"a"; byte_test:1,=,2,0,relative;`, "xa\x02", true},
		{`content:"a"; byte_test:1,=,2,-2,relative;`, "\x02a", true},
		{`content:"a"; byte_test:1,=,2,-3,relative;`, "\x02a", false},
		{`content:"a"; byte_test:1,=,2,0,relative;`, "a\x01a\x02", true},
		{`byte_test:1,=,1,0,bitmask 0xf0;`, "\x15", true},
		{`byte_test:2,=,3,0,relative,bitmask 0x0ff0;`, "\xf0\x3f", true},
	})
}

func TestByteJump(t *testing.T) {
	checkJudgements(t, []judgement{
		{`byte_jump:1,0; content:"x"; within:1;`, "\x02abx", true},
		{`byte_jump:1,0; content:"x"; within:1;`, "\x01abx", false},
		{`byte_jump:1,0,multiplier 2; content:"x"; within:1;`, "\x01abx", true},
		{`byte_jump:1,0,align; content:"x"; within:1;`, "\x01abcdx", true},
		{`byte_jump:1,1,from_beginning; content:"b"; within:1;`, "a\x02b", true},
		{`byte_jump:1,0,from_end,post_offset -1; content:"b"; within:1;`, "\x00ab", true},
		{`byte_jump:0,0,from_end,post_offset -2; content:"ab"; within:2;`, "xab", true},
		{`byte_jump:1,0,post_offset -3;`, "\x01ab", false},
		{`byte_jump:2,0,little; content:"x"; within:1;`, "\x01\x00ax", true},
		{`byte_jump:2,0,string,dec; content:"x"; within:1;`, "02abx", true},
		{`content:"a"; byte_jump:1,0,relative; content:"x"; distance:0; within:1;`, "za\x01zx", true},
		{`content:"a"; byte_jump:1,0,relative; content:"x"; within:1;`, "a\x00ya\x00x", true},
		{`byte_jump:1,0;`, "\x05ab", false},
		{`byte_jump:1,0;`, "\x02ab", false},
		{`byte_jump:8,0,multiplier 65535;`, "\xff\xff\xff\xff\xff\xff\xff\xff", false},
		{`content:"abc"; byte_jump:0,0,relative,post_offset -3; content:"abc"; within:3;`, "xabcd", true},
		{`byte_jump:1,0,bitmask 0xf0; content:"x"; within:1;`, "\x1faax", false},
		{`byte_jump:1,0,bitmask 0xf0; content:"x"; within:1;`, "\x1fax", true},
	})
}

func TestByteExtract(t *testing.T) {
	checkJudgements(t, []judgement{
		{`byte_extract:1,0,n; content:"x"; offset:n;`, "\x02xy", false},
		{`byte_extract:1,0,n; content:"x"; offset:n;`, "\x02yx", true},
		{`byte_extract:1,0,n; content:"x"; offset:1; depth:n;`, "\x01yx", false},
		{`byte_extract:1,0,n; content:"x"; offset:1; depth:n;`, "\x02yx", true},
		{`byte_extract:1,0,n; content:"x"; distance:n; within:1;`, "\x02abx", true},
		{`byte_extract:1,0,n; content:"x"; distance:n; within:1;`, "\x01abx", false},
		{`byte_extract:1,0,n; content:"x"; distance:0; within:n;`, "\x03abx", true},
		{`byte_extract:1,0,n; content:"x"; distance:0; within:n;`, "\x02abx", false},
		{`byte_extract:1,0,n; byte_test:1,=,n,1;`, "\x07\x07", true},
		{`byte_extract:1,0,n; byte_test:1,=,n,1;`, "\x07\x08", false},
		{`byte_extract:1,0,n; byte_test:n,=,0x0102,1;`, "\x02\x01\x02", true},
		{`byte_extract:1,0,n; byte_jump:1,n; content:"x"; within:1;`, "\x02a\x01ax", true},
		{`byte_extract:1,0,n; isdataat:n;`, "\x02ab", true},
		{`byte_extract:1,0,n; isdataat:n;`, "\x03ab", false},
		{`byte_extract:1,0,n; isdataat:!n,relative;`, "\x03ab", true},
		{`byte_extract:1,0,n,multiplier 2,align 4; content:"x"; offset:n;`, "\x01abcx", true},
		{`byte_extract:1,0,n,multiplier 2,align 4; content:"x"; offset:n;`, "\x01abx", false},
		{`byte_extract:2,0,n,string,dec; isdataat:n;`, "03ab", true},
		{`content:"a"; byte_extract:1,0,n,relative; content:"x"; offset:n; depth:1;`, "a\x00a\x04x", true},
		{`byte_extract:1,0,n; byte_extract:1,0,m,relative; byte_test:1,=,n,0; byte_test:1,=,m,1;`, "\x01\x02", true},
		{`byte_extract:3,0,n;`, "ab", false},
	})
}

func TestByteMath(t *testing.T) {
	checkJudgements(t, []judgement{
		{`byte_math:bytes 1, offset 0, oper +, rvalue 2, result n; byte_test:1,=,n,1;`, "\x03\x05", true},
		{`byte_math:bytes 1, offset 0, oper -, rvalue 1, result n; content:"x"; offset:n;`, "\x03ax", true},
		{`byte_math:bytes 1, offset 0, oper *, rvalue 2, result n; isdataat:n;`, "\x02abcd", true},
		{`byte_math:bytes 1, offset 0, oper /, rvalue 2, result n; byte_test:1,=,n,1;`, "\x05\x02", true},
		{`byte_math:bytes 1, offset 0, oper <<, rvalue 4, result n; byte_test:1,=,n,1;`, "\x02\x20", true},
		{`byte_math:bytes 1, offset 0, oper >>, rvalue 4, result n; byte_test:1,=,n,1;`, "\x20\x02", true},
		{`byte_math:bytes 1, offset 0, oper <<, rvalue 99, result n; byte_test:1,=,n,1;`, "\x20\x00", true},
		{`byte_math:bytes 2, offset 0, oper +, rvalue 0, result n, endian little; byte_test:1,=,n,2;`, "\x02\x00\x02", true},
		{`byte_math:bytes 2, offset 0, oper +, rvalue 0, result n, string dec; byte_test:1,=,n,2;`, "12\x0c", true},
		{`byte_extract:1,0,r; byte_math:bytes 1, offset 1, oper -, rvalue r, result n; byte_test:1,=,n,2;`, "\x02\x05\x03", true},
		{`byte_extract:1,0,r; byte_math:bytes 1, offset 1, oper /, rvalue r, result n;`, "\x00\x05", false},
		{`byte_math:bytes 1, offset 0, oper +, rvalue 0, result n, bitmask 0xf0; byte_test:1,=,n,1;`, "\x2f\x02", true},
		{`content:"a"; byte_math:bytes 1, offset 0, oper +, rvalue 1, result n, relative; content:"b"; distance:0; within:1;`, "a\x01b", true},
	})
}

func TestSizes(t *testing.T) {
	checkJudgements(t, []judgement{
		{`isdataat:2;`, "abc", true},
		{`isdataat:3;`, "abc", false},
		{`isdataat:!3;`, "abc", true},
		{`content:"a"; isdataat:2,relative;`, "abc", true},
		{`content:"a"; isdataat:3,relative;`, "abc", false},
		{`content:"a"; isdataat:!1,relative;`, "aba", true},
		{`content:"a"; isdataat:!1,relative;`, "ab", false},
		{`content:"a"; isdataat:1,relative,rawbytes;`, "ab", true},
		{`http.uri; bsize:3;`, "abc", true},
		{`http.uri; bsize:3;`, "ab", false},
		{`http.uri; bsize:<3;`, "ab", true},
		{`http.uri; bsize:<3;`, "abc", false},
		{`http.uri; bsize:>3;`, "abcd", true},
		{`http.uri; bsize:>=3;`, "abc", true},
		{`http.uri; bsize:<=3;`, "abcd", false},
		{`http.uri; bsize:2<>4;`, "abc", true},
		{`http.uri; bsize:2<>4;`, "ab", false},
		{`http.uri; bsize:!3;`, "ab", true},
		{`http.uri; bsize:0;`, "", true},
		{`urilen:3;`, "abc", true},
		{`urilen:>3,raw;`, "abc", false},
		{`urilen:2<>4,norm;`, "abc", true},
		{`http.uri; content:"a"; bsize:2; nocase;`, "Ab", true},
		{`http.uri; absent:or_else; content:"a";`, "a", true},
		{`http.uri; absent:or_else; content:"a";`, "b", false},
		{`http.uri; absent;`, "b", false},
	})
}

// What is not at its end yet is not judged by its end.
func TestSizesOfStream(t *testing.T) {
	for _, tt := range []struct {
		options string
		in      Input
		want    bool
	}{
		{`isdataat:!5;`, Input{Data: []byte("abc")}, false},
		{`isdataat:2;`, Input{Data: []byte("abc")}, true},
		{`isdataat:12;`, Input{Data: []byte("abc"), Start: 10}, true},
		{`isdataat:13;`, Input{Data: []byte("abc"), Start: 10}, false},
		{`http.uri; bsize:3;`, Input{Data: []byte("abc")}, false},
		{`http.uri; bsize:>2;`, Input{Data: []byte("abc")}, true},
		{`http.uri; bsize:<9;`, Input{Data: []byte("abc")}, false},
		{`http.uri; bsize:!2;`, Input{Data: []byte("abc")}, true},
		{`http.uri; bsize:!4;`, Input{Data: []byte("abc")}, false},
		{`byte_jump:0,0,from_end,post_offset -1;`, Input{Data: []byte("abc")}, false},
		{`byte_test:1,=,0x61,10;`, Input{Data: []byte("abc"), Start: 10}, true},
		{`byte_test:1,=,0x61,0;`, Input{Data: []byte("abc"), Start: 10}, false},
		{`byte_jump:0,0,from_beginning,post_offset 11; content:"b"; within:1;`, Input{Data: []byte("abc"), Start: 10}, false},
		{`byte_jump:0,10,from_beginning,post_offset 11; content:"b"; within:1;`, Input{Data: []byte("abc"), Start: 10}, true},
	} {
		if got := judge(t, tt.options, tt.in); got != tt.want {
			t.Errorf("%s on %+v: %v", tt.options, tt.in, got)
		}
	}
}

func TestBase64Decode(t *testing.T) {
	for _, tt := range []struct{ options, data, want string }{
		{`base64_decode; base64_data; content:"x";`, "dGVzdA==", "test"},
		{`base64_decode:bytes 4; base64_data; content:"x";`, "dGVzdA==", "tes"},
		{`base64_decode:bytes 5, offset 1; base64_data; content:"x";`, "!dGVzdA==", "tes"},
		{`base64_decode:bytes 6, offset 1; base64_data; content:"x";`, "!dGVzdA==", "test"},
		{`content:"a: "; base64_decode:relative; base64_data; content:"x";`, "a: dGVzdA\r\nb", "test"},
		{`content:"a"; base64_decode:offset 1,relative; base64_data; content:"x";`, "a:dGVz", "tes"},
		{`base64_decode:offset 9; base64_data; content:"x";`, "dGVz", ""},
		{`base64_decode; base64_data; content:"x";`, "=", ""},
	} {
		s, err := rule(t, NewEnv(), tt.options)
		if err != nil {
			t.Fatal(err)
		}
		c := &Context{Blob: s.Blob, In: Input{Data: []byte(tt.data), End: true}}
		if ok := c.Inspect(s.Lists[0].Matches); ok != (tt.want != "") || string(c.Base64) != tt.want {
			t.Errorf("%s on %q: %q %v, want %q", tt.options, tt.data, c.Base64, ok, tt.want)
		}
	}
}

func TestASN1(t *testing.T) {
	long := string(make([]byte, 300))
	checkJudgements(t, []judgement{
		{`asn1:bitstring_overflow;`, "\x03\x02\x09\x00", true},
		{`asn1:bitstring_overflow;`, "\x03\x02\x07\x00", false},
		{`asn1:bitstring_overflow;`, "\x30\x04\x03\x02\x09\x00", true},
		{`asn1:double_overflow;`, "\x09\x82\x01\x2c" + long, true},
		{`asn1:double_overflow;`, "\x09\x82\x01\x2c\x40" + long, false},
		{`asn1:oversize_length 500;`, "\x04\x82\x02\x00", true},
		{`asn1:oversize_length 512;`, "\x04\x82\x02\x00", false},
		{`asn1:oversize_length 9, absolute_offset 2;`, "zz\x04\x0a", true},
		{`content:"zz"; asn1:oversize_length 9, relative_offset 1;`, "zz\x00\x04\x0a", true},
		{`asn1:oversize_length 9, absolute_offset 9;`, "zz\x04\x0a", false},
		{`asn1:oversize_length 9;`, "\x30\x80\x04\x0a", true},
		{`asn1:oversize_length 9;`, "\x1f\x81\x01\x0a", true},
		{`asn1:oversize_length 9;`, "\x1f\xff", false},
	})
}

func TestNumbersRefused(t *testing.T) {
	for _, options := range []string{
		`byte_test:1,=,5;`, `byte_test:9,=,5,0;`, `byte_test:24,=,5,0,string,dec;`, `byte_test:0,=,5,0;`, `byte_test:1,~,5,0;`,
		`byte_test:1,=,x,0;`, `byte_test:1,=,5,x;`, `byte_test:1,=,5,0,dce;`, `byte_test:1,=,5,0,foo;`, `byte_test:1,=,5,0,bitmask 0;`,
		`byte_jump:1;`, `byte_jump:1,0,multiplier 0;`, `byte_jump:1,0,from_beginning,from_end;`, `byte_jump:1,0,foo;`, `byte_jump:1,0,dce;`,
		`byte_extract:1,0;`, `byte_extract:1,0,1n;`, `byte_extract:0,0,n;`, `byte_extract:1,0,n,align 3;`, `byte_extract:1,0,n,multiplier 0;`,
		`byte_math:bytes 1, offset 0, oper +, rvalue 1;`, `byte_math:bytes 1, bytes 1, offset 0, oper +, rvalue 1, result n;`,
		`byte_math:bytes 1, offset 0, oper %, rvalue 1, result n;`, `byte_math:bytes 1, offset 0, oper +, rvalue 1, result n, endian dce;`,
		`isdataat:x;`, `isdataat:1,foo;`, `isdataat:70000;`, `http.uri; bsize:x;`, `http.uri; bsize:2; content:"abc";`, `urilen:2; content:"abc"; http_uri;`,
		`urilen:2,foo;`, `absent;`, `http.uri; absent:foo;`, `http.uri; content:"a"; absent;`, `http.uri; absent; content:"a";`,
		`http.uri; absent:or_else;`, `base64_decode:bytes 0;`, `base64_decode:foo;`, `asn1:foo;`, `asn1:absolute_offset 1;`,
		`rpc:*,1,1;`, `rpc:1,2,3,4;`, `content:"a"; distance:n;`,
		`byte_extract:1,0,a; byte_extract:1,0,b; byte_extract:1,0,c; byte_extract:1,0,d; byte_extract:1,0,e; byte_extract:1,0,f;
		 byte_extract:1,0,g; byte_extract:1,0,h; byte_extract:1,0,i; byte_extract:1,0,j; byte_extract:1,0,k; byte_extract:1,0,l;
		 byte_extract:1,0,m; byte_extract:1,0,n; byte_extract:1,0,o; byte_extract:1,0,p; byte_extract:1,0,q;`,
	} {
		if _, err := rule(t, NewEnv(), options); err == nil {
			t.Errorf("%s was taken", options)
		}
	}
}
