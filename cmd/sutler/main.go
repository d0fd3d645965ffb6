// Command sutler is the marketplace broker and its command line.
package main

func main() {}
