import type { Model } from 'mongoose';
import type { JobRecord } from '../models/job.model.ts';
import { createJobClaimsRepository, type JobClaimsRepository } from './job-claims.repository.ts';
import { createJobControlRepository, type JobControlRepository } from './job-control.repository.ts';
import { createJobReadingRepository, type JobReadingRepository } from './job-reading.repository.ts';
import { createJobRemovalRepository, type JobRemovalRepository } from './job-removal.repository.ts';
import { createJobSubmissionsRepository, type JobSubmissionsRepository } from './job-submissions.repository.ts';
import { createJobSweepsRepository, type JobSweepsRepository } from './job-sweeps.repository.ts';

export type JobsRepository = JobReadingRepository &
  JobSubmissionsRepository &
  JobClaimsRepository &
  JobControlRepository &
  JobSweepsRepository &
  JobRemovalRepository;

/** The clock is what leases and deadlines are measured by. */
export function createJobsRepository(Job: Model<JobRecord>, now = () => new Date()): JobsRepository {
  return {
    ...createJobReadingRepository(Job),
    ...createJobSubmissionsRepository(Job),
    ...createJobClaimsRepository(Job, now),
    ...createJobControlRepository(Job, now),
    ...createJobSweepsRepository(Job),
    ...createJobRemovalRepository(Job),
  };
}
