// Package audit keeps who did what.
//
// It owns the trail: rows appended, unlinked, in the transaction of the deed; one leased linker that gives each row its number and a MAC over
// the row and the MAC before it, within about a second; heads signed (ES256) every hour and told to the log, so that they can be compared later.
// A locked chain head in each transaction would cost a factor of four, which is why rows are linked afterwards.
//
// Each row carries a MAC of its own from the moment it is written, together with how long the chain was known to be. The linker builds on nothing that
// does not fit its key: not on a changed or missing end, not on an end behind a signed head, behind what this process has seen or behind what a row
// knows, and not on a row that the market did not write. It then refuses and says so, and deeds go on. What no store can tell about itself remains: who
// can write it can put back an old copy of all of it, or take away a row within the second before it is linked. Against the first, heads are told to the
// log, and Verify takes such a head from outside.
//
// It does not own what is worth a row, nor who may read it: rooms append, doors ask identity.Can.
package audit
