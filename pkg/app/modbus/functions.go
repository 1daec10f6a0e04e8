package modbus

// Function is a function code (Modbus Application Protocol 1.1b3, 5.1).
type Function uint8

// The functions of the standard that carry data.
const (
	ReadCoils          Function = 1
	ReadDiscretes      Function = 2
	ReadHolding        Function = 3
	ReadInput          Function = 4
	WriteCoil          Function = 5
	WriteRegister      Function = 6
	ReadException      Function = 7
	Diagnostic         Function = 8
	EventCounter       Function = 11
	EventLog           Function = 12
	WriteCoils         Function = 15
	WriteRegisters     Function = 16
	ReportServer       Function = 17
	ReadFile           Function = 20
	WriteFile          Function = 21
	MaskWrite          Function = 22
	ReadWriteRegisters Function = 23
	ReadFIFO           Function = 24
	Encapsulated       Function = 43
)

// exceptionBit marks an answer that refuses.
const exceptionBit = 0x80

// Category is whose a function code is.
type Category uint8

// The categories; a code has one of them.
const (
	Assigned   Category = 1 << iota // public, and in the standard
	Unassigned                      // public, but not in the standard yet
	User                            // 65 to 72 and 100 to 110
	Reserved                        // of old products
	Public     = Assigned | Unassigned
)

// Access is what a function does to which data.
type Access uint8

// The kinds of access: what is done, then to what.
const (
	Read Access = 1 << iota
	Write
	Coils
	Discretes
	Input
	Holding
	Single
	Multiple
)

// shape is what a function's data look like.
type shape struct {
	name     string
	access   Access
	request  int // bytes of data behind the function code; -1: see counted; varies: any
	response int
	counted  int // in a request: place of the byte count that says how many bytes follow it
	most     int // of what a request may ask to read
}

const (
	counted = -1
	varies  = -2
)

// shapes are by function code. Names are as EVE has them.
var shapes = [...]shape{
	ReadCoils:          {"RdCoils", Read | Coils, 4, counted, 0, 2000},
	ReadDiscretes:      {"RdDiscreteInputs", Read | Discretes, 4, counted, 0, 2000},
	ReadHolding:        {"RdHoldRegs", Read | Holding, 4, counted, 0, 125},
	ReadInput:          {"RdInputRegs", Read | Input, 4, counted, 0, 125},
	WriteCoil:          {"WrSingleCoil", Write | Coils | Single, 4, 4, 0, 1},
	WriteRegister:      {"WrSingleReg", Write | Holding | Single, 4, 4, 0, 1},
	ReadException:      {"RdExcStatus", 0, 0, 1, 0, 0},
	Diagnostic:         {"Diagnostic", 0, varies, varies, 0, 0},
	9:                  {"Program484", 0, varies, varies, 0, 0},
	10:                 {"Poll484", 0, varies, varies, 0, 0},
	EventCounter:       {"GetCommEventCtr", 0, 0, 4, 0, 0},
	EventLog:           {"GetCommEventLog", 0, 0, counted, 0, 0},
	13:                 {"ProgramController", 0, varies, varies, 0, 0},
	14:                 {"PollController", 0, varies, varies, 0, 0},
	WriteCoils:         {"WrMultCoils", Write | Coils | Multiple, counted, 4, 4, 1968},
	WriteRegisters:     {"WrMultRegs", Write | Holding | Multiple, counted, 4, 4, 123},
	ReportServer:       {"ReportServerID", 0, 0, counted, 0, 0},
	18:                 {"Program884", 0, varies, varies, 0, 0},
	19:                 {"ResetCommLink", 0, varies, varies, 0, 0},
	ReadFile:           {"RdFileRec", 0, counted, counted, 0, 0},
	WriteFile:          {"WrFileRec", 0, counted, counted, 0, 0},
	MaskWrite:          {"MaskWrReg", Write | Holding, 6, 6, 0, 0},
	ReadWriteRegisters: {"RdWrMultRegs", Read | Write | Holding | Multiple, counted, counted, 8, 125},
	ReadFIFO:           {"RdFIFOQueue", 0, 2, varies, 0, 0},
	Encapsulated:       {"MEI", 0, varies, varies, 0, 0},
}

func (f Function) shape() shape {
	if int(f) < len(shapes) && shapes[f].name != "" {
		return shapes[f]
	}
	return shape{name: "Unknown", request: varies, response: varies}
}

func (f Function) String() string { return f.shape().name }

// Access is what the function does.
func (f Function) Access() Access { return f.shape().access }

// category tells whose a code is (Modbus Application Protocol 1.1b3, 5 and annex A). sub is the sub-function of
// Diagnostic or the type of Encapsulated.
func (f Function) category(sub int) Category {
	switch {
	case f == 0 || f > 127:
		return 0
	case f == Diagnostic && (sub == 19 || sub > 20), f == Encapsulated && sub >= 0 && sub != 13 && sub != 14:
		return Reserved
	case f == 9 || f == 10 || f == 13 || f == 14 || f == 41 || f == 42 || f == 90 || f == 91 || f >= 125:
		return Reserved
	case f >= 65 && f <= 72 || f >= 100 && f <= 110:
		return User
	case f.shape().name == "Unknown" || f == 18 || f == 19:
		return Unassigned
	}
	return Assigned
}

func (c Category) String() string {
	switch c {
	case Assigned:
		return "PUBLIC_ASSIGNED"
	case Unassigned:
		return "PUBLIC_UNASSIGNED"
	case User:
		return "USER_DEFINED"
	case Reserved:
		return "RESERVED"
	}
	return "NONE"
}

var accessNames = [...]string{"READ", "WRITE", "COILS", "DISCRETES", "INPUT", "HOLDING", "SINGLE", "MULTIPLE"}

// exceptions are by code (Modbus Application Protocol 1.1b3, 7).
var exceptions = [...]string{
	1: "IllegalFunction", 2: "IllegalDataAddr", 3: "IllegalDataValue", 4: "ServerDeviceFail", 5: "Ack",
	6: "ServerDeviceBusy", 7: "NegAck", 8: "MemParityErr", 10: "GatewayPathUnavailable", 11: "GatewayTargetFailToResp",
}

func exceptionName(code uint8) string {
	if int(code) < len(exceptions) && exceptions[code] != "" {
		return exceptions[code]
	}
	return "Unknown"
}

// diagnostics are by sub-function (Modbus Application Protocol 1.1b3, 6.8).
var diagnostics = [...]string{
	0: "RetQueryData", 1: "RestartCommOpt", 2: "RetDiagReg", 3: "ChangeInputDelimiter", 4: "ForceListenOnlyMode",
	10: "ClearCtrDiagReg", 11: "RetBusMsgCount", 12: "RetBusCommErrCount", 13: "RetBusExcErrCount",
	14: "RetServerMsgCount", 15: "RetServerNoRespCount", 16: "RetServerNAKCount", 17: "RetServerBusyCount",
	18: "RetBusCharOverrunCount", 20: "ClearOverrunCounterFlag",
}

func diagnosticName(sub int) string {
	if sub >= 0 && sub < len(diagnostics) && diagnostics[sub] != "" {
		return diagnostics[sub]
	}
	return "Reserved"
}

// meiName is the name of an Encapsulated transport (Modbus Application Protocol 1.1b3, 6.19).
func meiName(kind int) string {
	switch kind {
	case 13:
		return "CANOpenGenRefReqResp"
	case 14:
		return "RdDevId"
	}
	return "Reserved"
}
