# A transaction as the documentation of PStore shows, with the safest way of writing.
require 'pstore'

store = PStore.new('state/data.pstore')
store.ultra_safe = true
store.transaction { store[:key] = 'newer' }
puts 'committed'
$stdout.flush
