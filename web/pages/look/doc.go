// Package look is how Sutler's pages look: the typed views that handlers fill, the templates that show them, the style sheets, the one
// script, and the words for money, quantities and time.
//
// It owns everything a browser receives. It does not own where a view's data comes from, who may see it, or any route (pages).
package look
