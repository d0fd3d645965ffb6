-- +goose Up
-- When a plan was first missed on the shelf, by the market's clock; 0 while it is sold.
ALTER TABLE plans ADD COLUMN off_sale BIGINT NOT NULL DEFAULT 0;
-- +goose Down
ALTER TABLE plans DROP COLUMN off_sale;
