// Package catalog says what is on sale: offerings, plans, rates, metrics and kinds; it validates them and chooses among them.
//
// It owns the words and the pure rules about them. It does not own drivers (providers), what was sold to whom (broker), what it cost
// (billing), nor any I/O: everything here is a value or a function of values.
package catalog
