// What the cache gives is right: an entry is there as it was put, or the cache says that it is not. The entry from before
// is there.
import cacache from 'cacache';

async function get(key) {
  try {
    return String((await cacache.get('.', key, { memoize: false })).data);
  } catch (error) {
    if (['ENOENT', 'EINTEGRITY', 'EBADSIZE'].includes(error.code)) return null;
    throw error;
  }
}
const fail = (message) => {
  console.log(message);
  process.exit(1);
};
if (![null, 'new data'].includes(await get('key'))) fail('the cache gives wrong data');
if ((await get('old')) !== 'old data') fail('an entry from before is gone');
