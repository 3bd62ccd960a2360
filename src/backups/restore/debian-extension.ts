/** Extensions that Debian (and the PGDG repository) packages apart from the server; `N` stands for its major version. */
const packages: Record<string, string> = {
  address_standardizer: 'postgresql-N-postgis-3',
  age: 'postgresql-N-age',
  hll: 'postgresql-N-hll',
  hypopg: 'postgresql-N-hypopg',
  ip4r: 'postgresql-N-ip4r',
  orafce: 'postgresql-N-orafce',
  periods: 'postgresql-N-periods',
  pg_cron: 'postgresql-N-cron',
  pg_partman: 'postgresql-N-partman',
  pg_qualstats: 'postgresql-N-pg-qualstats',
  pg_repack: 'postgresql-N-repack',
  pgaudit: 'postgresql-N-pgaudit',
  pgrouting: 'postgresql-N-pgrouting',
  pgtap: 'postgresql-N-pgtap',
  plperl: 'postgresql-plperl-N',
  plpython3u: 'postgresql-plpython3-N',
  pltcl: 'postgresql-pltcl-N',
  plv8: 'postgresql-N-plv8',
  postgis: 'postgresql-N-postgis-3',
  postgis_raster: 'postgresql-N-postgis-3',
  postgis_topology: 'postgresql-N-postgis-3',
  prefix: 'postgresql-N-prefix',
  rum: 'postgresql-N-rum',
  semver: 'postgresql-N-semver',
  timescaledb: 'timescaledb-2-postgresql-N',
  unit: 'postgresql-N-unit',
  vector: 'postgresql-N-pgvector',
};

/** Those of PostgreSQL itself, which many other systems package apart from the server (Debian since 10 does not). */
const contributed =
  /^(amcheck|autoinc|bloom|btree_gin|btree_gist|citext|cube|dblink|dict_int|earthdistance|file_fdw|fuzzystrmatch|hstore|intarray|isn|lo|ltree|pageinspect|pg_buffercache|pg_prewarm|pg_stat_statements|pg_trgm|pgcrypto|pgrowlocks|pgstattuple|postgres_fdw|seg|sslinfo|tablefunc|tcn|unaccent|uuid-ossp|xml2)$/;

/** How to install an extension on the server, where it is known. */
export function howToInstall(extension: string, serverMajor: number): string | undefined {
  const name = packages[extension]?.replace('N', String(serverMajor));
  if (name !== undefined) return `apt-get install ${name} (Debian), on the server`;
  if (contributed.test(extension)) {
    return `install the contrib modules of PostgreSQL ${serverMajor} on the server (Debian: postgresql-${serverMajor})`;
  }
  return undefined;
}
