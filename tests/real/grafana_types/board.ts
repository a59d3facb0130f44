// A board as Grafana declares it, in the types of @grafana/schema.
//
// Those leave the inside of a panel open (`Record<string, unknown>`), as each kind of panel is a plugin; here the
// options and the field configuration of the kinds that we use are put in, so that a wrong name or value inside fails
// to compile too. Their enums are written as strings in JSON; `Written` widens each to the union of its strings.
import type { Dashboard, DataQuery, DataSourceRef, FieldConfig, Panel } from '@grafana/schema';
import type { AnnotationQuery, MatcherConfig, VariableModel } from '@grafana/schema';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as text from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';
import type * as series from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

type Written<T> = T extends string ? `${T}` : T extends object ? { [Key in keyof T]: Written<T[Key]> } : T;

// The ClickHouse plugin publishes no types: what it reads of a query that was written as SQL.
interface Query extends DataQuery {
  datasource: DataSourceRef;
  editorType: 'sql';
  format: 0 | 1;
  queryType: 'timeseries' | 'table';
  rawSql: string;
}

type Plain = Omit<FieldConfig, 'custom'>;
type Property<Custom> =
  | { [Key in keyof Plain & string]-?: { id: Key; value: Plain[Key] } }[keyof Plain & string]
  | { [Key in keyof Custom & string]-?: { id: `custom.${Key}`; value: Custom[Key] } }[keyof Custom & string];

interface Fields<Custom> {
  defaults: Plain & { custom?: Partial<Custom> };
  overrides: Array<{ matcher: MatcherConfig<string>; properties: Array<Property<Custom>> }>;
}

interface PanelOf<Kind extends string, Options, Custom>
  extends Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> {
  type: Kind;
  options: Options;
  fieldConfig: Fields<Custom>;
  targets: Query[];
}

type Panels =
  | PanelOf<'timeseries', series.Options, series.FieldConfig>
  | PanelOf<'table', table.Options, table.FieldConfig>
  | PanelOf<'stat', stat.Options, {}>
  | (Omit<Panel, 'type' | 'options'> & { type: 'text'; options: text.Options });

interface Whole extends Omit<Dashboard, 'panels' | 'annotations' | 'templating'> {
  panels: Panels[];
  annotations: { list: AnnotationQuery<Query>[] };
  templating: { list: VariableModel[] };
}

export type Board = Written<Whole>;
