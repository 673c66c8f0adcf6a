// Sets items as the README of node-localstorage shows.
import { LocalStorage } from 'node-localstorage';

const localStorage = new LocalStorage('./state');
localStorage.setItem('first', 'two');
localStorage.setItem('second', 'new');
console.log('set');
