package main

import (
	"reflect"
	"regexp"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/data/sqlutil"
)

// converters scan the Nullable types, as the data source's own converters do; the SDK knows the others.
var converters = []sqlutil.Converter{
	nullable[float64](`Float64`, data.FieldTypeNullableFloat64),
	nullable[float32](`Float32`, data.FieldTypeNullableFloat32),
	nullable[int64](`Int64`, data.FieldTypeNullableInt64),
	nullable[int32](`Int32`, data.FieldTypeNullableInt32),
	nullable[uint64](`UInt64`, data.FieldTypeNullableUint64),
	nullable[uint32](`UInt32`, data.FieldTypeNullableUint32),
	nullable[uint8](`UInt8`, data.FieldTypeNullableUint8),
	nullable[string](`String`, data.FieldTypeNullableString),
	nullable[time.Time](`DateTime(64)?(\(.*\))?`, data.FieldTypeNullableTime),
}

func nullable[T any](inner string, kind data.FieldType) sqlutil.Converter {
	return sqlutil.Converter{
		Name:           "Nullable " + inner,
		InputScanType:  reflect.TypeFor[**T](),
		InputTypeRegex: regexp.MustCompile(`^Nullable\(` + inner + `\)$`),
		FrameConverter: sqlutil.FrameConverter{
			FieldType:     kind,
			ConverterFunc: func(scanned any) (any, error) { return *scanned.(**T), nil },
		},
	}
}
