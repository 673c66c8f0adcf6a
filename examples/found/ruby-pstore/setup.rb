require 'pstore'

PStore.new('data.pstore').transaction { |store| store[:key] = 'old' }
