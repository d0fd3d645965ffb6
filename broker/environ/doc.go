// Package environ turns an app's bindings into its environment, and writes that in the form each kind of reader wants.
//
// It owns names of variables and the quoting rules of every format. It does not own bindings or credentials (broker), nor who may see
// them: it is pure, gets values and gives text, and imports no room.
package environ
