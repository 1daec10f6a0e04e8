package sandbox

var epollWait []Rule

const threadTLS = 0
