package sandbox

var epollWait []rule

const threadTLS = 0
