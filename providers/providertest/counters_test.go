package providertest_test

import (
	"context"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

// twiceTold names a new epoch with every reading although its counter goes on.
type twiceTold struct{ *fake.Driver }

func (d twiceTold) Read(ctx context.Context, i providers.Instance) ([]providers.Reading, error) {
	list, err := d.Driver.Read(ctx, i)
	for n := range list {
		list[n].Epoch = ids.New("epoch")
	}
	return list, err
}

// stopped tells of nothing beyond the first 70 things that are used.
type stopped struct{ *fake.Driver }

func (d stopped) Read(ctx context.Context, i providers.Instance) ([]providers.Reading, error) {
	list, err := d.Driver.Read(ctx, i)
	for n := range list {
		if most := money.FromInt(70); list[n].Type == "counter" && list[n].Value.Cmp(most) > 0 {
			list[n].Value = most
		}
	}
	return list, err
}
