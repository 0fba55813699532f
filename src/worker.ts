import { serveAsWorker } from './daemon/worker.ts';

serveAsWorker();
