// Command plugin asks a ClickHouse HTTP endpoint as Grafana's ClickHouse data source does: the same Go client, the
// same conversion of rows to data frames, the data source's macros. It reads one JSON object a line (refId, sql, and
// table where no time series is made of the answer) and prints one a line: the fields of the frame with their types, its rows, or the error.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/data/sqlutil"
)

type question struct {
	RefID string `json:"refId"`
	SQL   string `json:"sql"`
	Table bool   `json:"table"`
}

type field struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Values []any  `json:"values,omitempty"`

	Labels data.Labels `json:"labels,omitempty"`
}

type answer struct {
	RefID  string  `json:"refId"`
	SQL    string  `json:"sql"`
	Fields []field `json:"fields"`
	Rows   int     `json:"rows"`
	Series []field `json:"series"`
	Error  string  `json:"error,omitempty"`
}

func main() {
	address := flag.String("address", "127.0.0.1:8123", "host and port")
	user := flag.String("user", "default", "user")
	password := flag.String("password", "", "password")
	database := flag.String("database", "", "database")
	compression := flag.String("compression", "none", "none, gzip or lz4")
	from := flag.Int64("from", 0, "start of the time range, Unix seconds")
	to := flag.Int64("to", 0, "end of the time range, Unix seconds")
	interval := flag.Duration("interval", time.Minute, "length of a bucket")
	flag.Parse()

	methods := map[string]clickhouse.CompressionMethod{
		"none": clickhouse.CompressionNone, "gzip": clickhouse.CompressionGZIP, "lz4": clickhouse.CompressionLZ4,
	}
	db := clickhouse.OpenDB(&clickhouse.Options{
		Addr:        []string{*address},
		Auth:        clickhouse.Auth{Database: *database, Username: *user, Password: *password},
		Protocol:    clickhouse.HTTP,
		Compression: &clickhouse.Compression{Method: methods[*compression], Level: 3},
		DialTimeout: 10 * time.Second,
		Settings:    clickhouse.Settings{"max_execution_time": 60},
	})
	defer db.Close()

	period := backend.TimeRange{From: time.Unix(*from, 0), To: time.Unix(*to, 0)}
	out := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			_ = out.Encode(answer{Error: err.Error()})
			continue
		}
		query := &sqlutil.Query{RawSQL: asked.SQL, RefID: asked.RefID, TimeRange: period, Interval: *interval}
		_ = out.Encode(ask(db, query, asked.Table))
	}
}

func ask(db *sql.DB, query *sqlutil.Query, table bool) answer {
	given := answer{RefID: query.RefID}
	text, err := sqlutil.Interpolate(query, macros)
	if err != nil {
		return failed(given, err)
	}
	given.SQL = text
	rows, err := db.QueryContext(context.Background(), text)
	if err != nil {
		return failed(given, err)
	}
	defer rows.Close()
	frame, err := sqlutil.FrameFromRows(rows, -1, converters...)
	if err == nil {
		err = rows.Err()
	}
	if err != nil {
		return failed(given, err)
	}
	for _, column := range frame.Fields {
		shown := field{Name: column.Name, Type: column.Type().ItemTypeString(), Values: []any{}}
		for row := range column.Len() {
			shown.Values = append(shown.Values, value(column, row))
		}
		given.Fields = append(given.Fields, shown)
	}
	given.Rows = frame.Rows()
	if table {
		return given
	}
	series, err := asSeries(frame)
	if err != nil {
		return failed(given, err)
	}
	for _, column := range series.Fields {
		shown := field{Name: column.Name, Type: column.Type().ItemTypeString(), Labels: column.Labels}
		given.Series = append(given.Series, shown)
	}
	return given
}

// value returns a value that JSON can hold.
func value(column *data.Field, row int) any {
	concrete, present := column.ConcreteAt(row)
	if !present {
		return nil
	}
	if number, ok := concrete.(float64); ok && (math.IsNaN(number) || math.IsInf(number, 0)) {
		return fmt.Sprint(number)
	}
	return concrete
}

// asSeries returns a frame as Grafana draws it: text columns become labels, each combination a nullable series.
func asSeries(frame *data.Frame) (*data.Frame, error) {
	if frame.TimeSeriesSchema().Type != data.TimeSeriesTypeLong {
		return frame, nil
	}
	return data.LongToWide(frame, nil)
}

func failed(given answer, err error) answer {
	given.Error = err.Error()
	return given
}
