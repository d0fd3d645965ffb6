// Package pages is Sutler for people: it answers a browser's requests with pages made on the server.
//
// It owns the pages' routes, the forms' reading and what a page shows of which room. It does not own how pages look (look), who is asking
// (web), what may be seen or done (each room asks identity.Can), or any fact: nothing is kept here.
package pages
