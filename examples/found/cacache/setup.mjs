import cacache from 'cacache';

await cacache.put('.', 'old', 'old data');
