// Package audit keeps who did what.
//
// It owns the trail: rows appended, unlinked, in the transaction of the deed; one leased linker that gives each row its number and a MAC over
// the row and the MAC before it, within about a second; heads signed (ES256) every hour and told to the log, so that they can be compared later.
// A locked chain head in each transaction would cost a factor of four, which is why rows are linked afterwards.
//
// It does not own what is worth a row, nor who may read it: rooms append, doors ask identity.Can.
package audit
