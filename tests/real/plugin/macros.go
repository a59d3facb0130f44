package main

import (
	"fmt"
	"math"

	"github.com/grafana/grafana-plugin-sdk-go/data/sqlutil"
)

// macros are those of Grafana's ClickHouse data source that its documentation lists and our queries may use; the
// SDK brings the others ($__interval and its like).
var macros = sqlutil.Macros{
	"fromTime": func(query *sqlutil.Query, _ []string) (string, error) {
		return seconds(query.TimeRange.From.Unix()), nil
	},
	"toTime": func(query *sqlutil.Query, _ []string) (string, error) {
		return seconds(query.TimeRange.To.Unix()), nil
	},
	"fromTime_ms": func(query *sqlutil.Query, _ []string) (string, error) {
		return milliseconds(query.TimeRange.From.UnixMilli()), nil
	},
	"toTime_ms": func(query *sqlutil.Query, _ []string) (string, error) {
		return milliseconds(query.TimeRange.To.UnixMilli()), nil
	},
	"timeFilter": func(query *sqlutil.Query, args []string) (string, error) {
		return between(args, seconds(query.TimeRange.From.Unix()), seconds(query.TimeRange.To.Unix()))
	},
	"timeFilter_ms": func(query *sqlutil.Query, args []string) (string, error) {
		from, to := query.TimeRange.From.UnixMilli(), query.TimeRange.To.UnixMilli()
		return between(args, milliseconds(from), milliseconds(to))
	},
	"dateFilter": func(query *sqlutil.Query, args []string) (string, error) {
		from, to := query.TimeRange.From.UTC(), query.TimeRange.To.UTC()
		return between(args, from.Format("toDate('2006-01-02')"), to.Format("toDate('2006-01-02')"))
	},
	"timeInterval": func(query *sqlutil.Query, args []string) (string, error) {
		return bucket(args, "toDateTime(%s)", "second", query.Interval.Seconds())
	},
	"timeInterval_ms": func(query *sqlutil.Query, args []string) (string, error) {
		return bucket(args, "toDateTime64(%s, 3)", "millisecond", float64(query.Interval.Milliseconds()))
	},
	"interval_s": func(query *sqlutil.Query, _ []string) (string, error) {
		return fmt.Sprint(atLeastOne(query.Interval.Seconds())), nil
	},
}

func seconds(at int64) string      { return fmt.Sprintf("toDateTime(%d)", at) }
func milliseconds(at int64) string { return fmt.Sprintf("fromUnixTimestamp64Milli(%d)", at) }
func atLeastOne(n float64) int64   { return int64(math.Max(n, 1)) }

func between(args []string, from, to string) (string, error) {
	column, err := only(args)
	return fmt.Sprintf("%s >= %s AND %s <= %s", column, from, column, to), err
}

func bucket(args []string, cast, unit string, length float64) (string, error) {
	column, err := only(args)
	return fmt.Sprintf("toStartOfInterval("+cast+", INTERVAL %d %s)", column, atLeastOne(length), unit), err
}

func only(args []string) (string, error) {
	if len(args) != 1 {
		return "", fmt.Errorf("%w: 1 expected, %d given", sqlutil.ErrorBadArgumentCount, len(args))
	}
	return args[0], nil
}
