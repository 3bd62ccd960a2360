// The setting with which graphile-worker drains fastest: it claims 500 at once and deletes what is done in batches.
module.exports = {
  worker: {
    concurrentJobs: 10,
    maxPoolSize: 11,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
  },
};
