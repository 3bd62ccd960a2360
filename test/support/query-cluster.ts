import pg from 'pg';
import type { Cluster } from './cluster.ts';

/** Rows of one statement as the superuser in database `postgres`, over the socket. */
export async function queryCluster<Row extends pg.QueryResultRow>(
  server: Pick<Cluster, 'socketDirectory' | 'port' | 'superuser'>,
  sql: string,
): Promise<Row[]> {
  const { socketDirectory: host, port, superuser: user } = server;
  const client = new pg.Client({ host, port, user, database: 'postgres' });
  client.on('error', () => {}); // the server may be stopped under it
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
