package money

import (
	"errors"
	"math/big"
	"slices"
)

// ErrWeights is given when a split has no weights, a negative one, or only zeros.
var ErrWeights = errors.New("a split needs weights of zero or more, at least one above zero")

// Split shares an amount by weights so that the parts always add up to it: each part gets its share rounded towards zero, and the minor units
// that remain go to the largest remainders, the earlier part first when they are equal.
func Split(total Amount, weights []Ratio) ([]Amount, error) {
	var all Ratio
	for _, w := range weights {
		if w.Sign() < 0 {
			return nil, ErrWeights
		}
		all = all.Add(w)
	}
	if all.Sign() == 0 {
		return nil, ErrWeights
	}
	whole := new(big.Int).Abs(big.NewInt(total.Minor))
	parts, rests := make([]*big.Int, len(weights)), make([]*big.Rat, len(weights))
	left := new(big.Int).Set(whole)
	for i, w := range weights {
		share := new(big.Rat).Mul(new(big.Rat).SetInt(whole), new(big.Rat).Quo(w.rat(), all.rat()))
		parts[i] = new(big.Int).Quo(share.Num(), share.Denom())
		rests[i] = share.Sub(share, new(big.Rat).SetInt(parts[i]))
		left.Sub(left, parts[i])
	}
	for _, i := range largest(rests)[:left.Int64()] { // fewer than there are parts: each remainder is below one
		parts[i].Add(parts[i], big.NewInt(1))
	}
	out := make([]Amount, len(parts))
	for i, p := range parts {
		if total.Minor < 0 {
			p.Neg(p)
		}
		out[i] = Amount{p.Int64(), total.Currency}
	}
	return out, nil
}

// largest gives the indexes of rests from the largest to the smallest, equal ones in their own order.
func largest(rests []*big.Rat) []int {
	order := make([]int, len(rests))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return rests[b].Cmp(rests[a]) })
	return order
}
