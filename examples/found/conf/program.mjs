// Sets a value as the README of conf shows.
import Conf from 'conf';

const config = new Conf({ cwd: 'state' });
config.set('unicorn', 2);
console.log('set');
