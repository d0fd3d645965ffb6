package vault

// Holds walks through what every vault does.
var Holds = holds
